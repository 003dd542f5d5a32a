import { MillraceError } from '../errors.ts'
import { type Node, node, out } from '../topology/node.ts'
import { Stream } from '../topology/stream.ts'

/** Tests of records by the name of their branch; they are asked in the order written. */
export type Branches<V, K> = Readonly<Record<string, (value: V, key: K) => boolean>>

// biome-ignore lint/suspicious/noExplicitAny: the parameter of a guard must hold whatever it narrows to
type Narrowed<V, Test> = Test extends (value: any, ...rest: any) => value is infer V2 ? V2 : V

/** A stream for each branch; a test that narrows the type narrows the stream. */
export type Split<K, V, B> = {
  readonly [Name in keyof B]: Stream<K, Narrowed<V, B[Name]>>
}

/**
 * Splits a stream into named branches: a record goes to the first whose test is true, and to that one alone. With a
 * name for the rest, records that no test takes go there; without, they are left out, not counted, as by `filter`.
 *
 * A branch that nobody reads costs nothing. Throws `INVALID_TOPOLOGY` when the rest has the name of a branch.
 *
 * @ordering Stays, as do key, timestamp and headers.
 * @state None.
 * @nulls Reach the tests only where the serdes that the stream is read with are `nullable`; then as any other.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#split`, `BranchedKStream`. RxJS: `partition`.
 *
 * @marble
 * ```ts
 * numbers.pipe(split({ large: (n) => n >= 10 }, 'small'))
 * ```
 * ```marbles
 * numbers | a=1@1 | b=20@2 | a=30@3
 * large   |       | b=20@2 | a=30@3
 * small   | a=1@1 |        |
 * ```
 *
 * @example
 * ```ts
 * const { large, small } = payments.pipe(split({ large: (payment) => payment.amount >= 1000 }, 'small'))
 * ```
 */
export function split<K, V, B extends Branches<V, K>>(branches: B): (stream: Stream<K, V>) => Split<K, V, B>
export function split<K, V, B extends Branches<V, K>, Rest extends string>(
  branches: B,
  rest: Rest,
): (stream: Stream<K, V>) => Split<K, V, B> & { readonly [Name in Rest]: Stream<K, V> }
export function split<K, V>(
  branches: Branches<V, K>,
  rest?: string,
): (stream: Stream<K, V>) => Readonly<Record<string, Stream<K, V>>> {
  const names = Object.keys(branches)
  if (rest !== undefined && names.includes(rest)) {
    throw new MillraceError('INVALID_TOPOLOGY', `split: "${rest}" is a branch, and cannot name the rest, too`, {
      hint: 'give the rest a name of its own',
    })
  }
  return ({ input, serdes, rekeyed }) => {
    const splitting: Node = node({
      kind: 'split',
      inputs: [input],
      parameters: { branches: names, ...(rest === undefined ? {} : { rest }) },
      keepsValues: true,
      processor: (context) => {
        const tests = names.map((name) => branches[name])
        const nexts = names.map((name) => context.forward(name))
        const others = rest === undefined ? undefined : context.forward(rest)
        const choose = (key: K, value: V, timestamp: number) => {
          for (let i = 0; i < tests.length; i++) if (tests[i](value, key)) return nexts[i](key, value, timestamp)
          others?.(key, value, timestamp)
        }
        return { inputs: [choose] }
      },
    })
    const all = rest === undefined ? names : [...names, rest]
    return Object.fromEntries(all.map((name) => [name, new Stream<K, V>(out(splitting, name), serdes, rekeyed)]))
  }
}
