import { MillraceError } from '../../errors.ts'
import { type Clock, seconds, systemClock } from '../../time.ts'
import type { AvroSchema, RegisterMode, Serde, SerdeContext } from '../serde.ts'
import { compileOnce } from './compiled.ts'
import { checkDefaults } from './defaults.ts'
import { schemaNews, withFieldsOf } from './evolving.ts'
import type { AvroValue } from './infer.ts'
import { publish } from './publish.ts'
import { avroReader } from './read.ts'
import { asJson, parseSchema } from './schema.ts'
import { type AvroType, shortName, typeName } from './types.ts'
import { avroWriter } from './write.ts'

export interface AvroOptions {
  /** The registry's subject. Default: the topic's name with '-key' or '-value'. */
  readonly subject?: string | ((context: SerdeContext) => string)
  /**
   * What is done before the first write. 'register' (default): the schema is registered if it is not there and the
   * registry finds it compatible. 'use-latest': values are written with the subject's newest schema. 'refuse': the
   * schema must be there.
   */
  readonly register?: RegisterMode
  /** Longs as bigints. Without it they are numbers, and a long beyond 2^53 is an error, never rounded. */
  readonly bigint?: boolean
  /**
   * Keep the fields that only the writer's schema has: values then hold them behind their own, and sinks that make
   * columns are told before the first one comes. Default false: they are skipped.
   */
  readonly evolve?: boolean
  /** How long a schema id that the registry does not know is waited for, in ms. Default 5 seconds. */
  readonly unknownIdGraceMs?: number
  /** For tests. */
  readonly clock?: Clock
}

type LongOf<O> = O extends { readonly bigint: true } ? bigint : number

/**
 * Avro in the Confluent wire format: a 0, the schema's id, the body. Needs a registry (`run(…, { registry })`).
 *
 * Every record is read with the schema that it was written with, by id, and becomes a value of `schema`, by Avro's
 * rules: fields that are gone are skipped, new ones take their default, aliases and promotions are followed; so are
 * aliases in the writer's schema, for a field that the producer has renamed. `evolve` keeps the producer's new fields. Both
 * schemas are compiled into one function, once. Without `T`, the type of the values is taken from a literal schema.
 *
 * Values: int, long, float and double are numbers; bytes and fixed Uint8Arrays; enums strings; arrays and maps arrays
 * and objects; a union is the value itself, or `{ branch: value }` when two branches look alike in JavaScript
 * (`[int, long]`, two records). Dates and timestamps stay the number that Avro stores (days, ms, µs; nanoseconds are
 * bigints), a decimal is its exact text ('12.30'), a uuid its text. A field with a default may be left out in writing.
 *
 * Throws `INVALID_SCHEMA` at once. Bytes that are cut short, an unknown schema id, data that does not fit the reader's
 * schema: `UNDECODABLE_RECORD`, in the last case with `INCOMPATIBLE_SCHEMA` as its cause. A value that does not fit:
 * `UNENCODABLE_RECORD` with the path of the field. `prepare` throws `INCOMPATIBLE_SCHEMA`, `UNKNOWN_SCHEMA`.
 *
 * @example
 * ```ts
 * const Click = { type: 'record', name: 'Click', fields: [{ name: 'page', type: 'string' }] } as const
 * stream('clicks', { key: string(), value: avro(Click) })          // Stream<string, { page: string }>
 * stream('orders', { key: string(), value: avro<Order>(schemaFromFile) })
 * ```
 */
export function avro<T = never, const S extends AvroSchema = AvroSchema, const O extends AvroOptions = AvroOptions>(
  schema: S,
  options?: O,
): Serde<[T] extends [never] ? AvroValue<S, LongOf<O>> : T> {
  return avroSerde(schema, options ?? {}) as Serde<never> as Serde<[T] extends [never] ? AvroValue<S, LongOf<O>> : T>
}

function avroSerde(given: AvroSchema, options: AvroOptions): Serde<unknown> {
  const {
    subject,
    register = 'register',
    bigint = false,
    evolve = false,
    unknownIdGraceMs = seconds(5),
    clock = systemClock,
  } = options
  const schema = asJson(given)
  const own = parseSchema(schema)
  checkDefaults(own)
  const news = evolve ? schemaNews() : undefined
  const readAs = (writer: AvroType): AvroType => {
    const type = withFieldsOf(writer, own)
    if (type !== own) news?.tell(type)
    return type
  }
  const compiled = evolve ? compileOnce(own, bigint, readAs) : compileOnce(own, bigint)
  return {
    format: `avro(${shortName(typeName(own))})`,
    // An id means the same schema everywhere in a registry.
    anyTopic: true,
    schema,
    ...(news && { onSchema: news.listen }),
    open(context) {
      const { registry } = context
      if (!registry) {
        throw new MillraceError('INVALID_OPTION', 'Avro needs a schema registry', {
          topic: context.topic,
          hint: 'give one to run: { registry: schemaRegistry({ url }) }, or memoryRegistry() in a test',
        })
      }
      const name = typeof subject === 'function' ? subject(context) : (subject ?? `${context.topic}-${context.part}`)
      return {
        ...avroReader(context, registry, own, compiled, { graceMs: unknownIdGraceMs, clock }),
        ...avroWriter(context, registry, () => publish(registry, name, schema, own, register), compiled),
      }
    },
  }
}
