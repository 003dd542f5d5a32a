import { MillraceError, toError } from '../../errors.ts'
import { node, out } from '../../topology/node.ts'
import type { Forward } from '../../topology/processor.ts'
import { Stream } from '../../topology/stream.ts'
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts'

/** One thing that is wrong with a value. */
export interface Reason {
  /** Where: 'items.0.price'; '' for the value as a whole, and for rules. */
  readonly path: string
  /** What: the schema's words, or the name of the rule. */
  readonly message: string
}

/** A value that was not accepted, as it came, and everything that is wrong with it. */
export interface Rejected<out V> {
  readonly value: V
  readonly reasons: readonly Reason[]
}

/** By name, what must be true; the name says what is wrong when it is not: `{ 'no amount': (t) => t.amount > 0 }`. */
export type Rules<K, V> = Readonly<Record<string, (value: V, key: K) => boolean>>

/**
 * Splits a stream into what a schema or a set of rules accepts, and what it does not, with the reasons.
 *
 * - A schema is any Standard Schema: zod, valibot, arktype and others. What it gives (defaults, conversions) comes out as
 *   `valid`, typed as its output. It must answer at once; one that answers with a promise is refused (`INVALID_SCHEMA`)
 *   whatever the error policy: use `mapAsync` for that.
 * - Rules are functions by name. All are asked, so that `rejected` has every reason; one that throws has failed. Values
 *   stay as they are.
 *
 * Nothing is lost: each record comes out of one of the two, with its key, timestamp and headers, in order; use one of
 * them alone and the other is not made. Null values are validated like any other. Keeps no state.
 *
 * @ordering Stays: each record comes out of one of the two, with its key, timestamp and headers.
 * @state None.
 * @nulls Null values are validated like any other.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams None (`split`).
 *
 * @marble
 * ```ts
 * numbers.pipe(validate({ positive: (n) => n > 0 }))
 * ```
 * ```marbles
 * numbers  | a=1@1 | a=-2@2
 * valid    | a=1@1 |
 * rejected |       | a={value:-2,reasons:[{path:"",message:positive}]}@2
 * ```
 *
 * @example
 * ```ts
 * const { valid, rejected } = raw.pipe(validate(z.object({ id: z.string(), amount: z.number().positive() })))
 * const checked = valid.pipe(validate({ 'too large': (payment) => payment.amount < 1e6 }))
 * ```
 */
export function validate<K, V, O>(
  schema: StandardSchema<unknown, O>,
): (stream: Stream<K, V>) => { readonly valid: Stream<K, O>; readonly rejected: Stream<K, Rejected<V>> }
export function validate<K, V>(
  rules: Rules<K, V>,
): (stream: Stream<K, V>) => { readonly valid: Stream<K, V>; readonly rejected: Stream<K, Rejected<V>> }
export function validate<K, V, O>(
  by: StandardSchema<unknown, O> | Rules<K, V>,
): (stream: Stream<K, V>) => {
  readonly valid: Stream<K, O> | Stream<K, V>
  readonly rejected: Stream<K, Rejected<V>>
} {
  const schema = '~standard' in by ? (by as StandardSchema<unknown, O>)['~standard'] : undefined
  if (schema) refusePromise(schema.validate(undefined), schema.vendor)
  const rules = schema ? [] : Object.entries(by as Rules<K, V>)
  return ({ input, serdes, rekeyed }) => {
    const split = node({
      kind: 'validate',
      inputs: [input],
      parameters: schema ? { schema: schema.vendor } : { rules: rules.map(([rule]) => rule) },
      processor: (context) => {
        const valid = context.forward('valid')
        const rejected = context.forward('rejected')
        const check = schema ? bySchema(schema, valid, rejected) : byRules(rules, valid, rejected)
        return { inputs: [check] }
      },
    })
    return {
      valid: new Stream<K, O>(out(split, 'valid'), schema ? { key: serdes.key } : serdes, rekeyed),
      rejected: new Stream<K, Rejected<V>>(out(split, 'rejected'), { key: serdes.key }, rekeyed),
    }
  }
}

function bySchema(schema: StandardSchema['~standard'], valid: Forward, rejected: Forward): Forward {
  return (key, value, timestamp) => {
    const result = refusePromise(schema.validate(value), schema.vendor)
    if (result.issues === undefined) valid(key, result.value, timestamp)
    else rejected(key, { value, reasons: result.issues.map(reasonOf) } satisfies Rejected<unknown>, timestamp)
  }
}

function reasonOf({ message, path = [] }: SchemaIssue): Reason {
  return { path: path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'), message }
}

function byRules<K, V>(rules: readonly (readonly [string, Rules<K, V>[string]])[], valid: Forward, rejected: Forward) {
  return (key: K, value: V, timestamp: number) => {
    let reasons: Reason[] | undefined
    for (const [rule, holds] of rules) {
      try {
        if (holds(value, key)) continue
        ;(reasons ??= []).push({ path: '', message: rule })
      } catch (thrown) {
        ;(reasons ??= []).push({ path: '', message: `${rule}: ${toError(thrown).message}` })
      }
    }
    if (reasons === undefined) valid(key, value, timestamp)
    else rejected(key, { value, reasons } satisfies Rejected<V>, timestamp)
  }
}

function refusePromise<O>(result: SchemaResult<O> | Promise<SchemaResult<O>>, vendor: string): SchemaResult<O> {
  if (!(result instanceof Promise)) return result
  // Nobody else will look at it.
  result.catch(() => {})
  throw new MillraceError('INVALID_SCHEMA', `validate: this ${vendor} schema answers with a promise`, {
    hint: 'take its asynchronous parts out, or validate inside mapAsync(…)',
  })
}
