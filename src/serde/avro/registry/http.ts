import { MillraceError } from '../../../errors.ts'
import type { AvroSchema, SchemaRegistry } from '../../serde.ts'
import { canonical } from '../canonical.ts'
import { asJson, parseSchema } from '../schema.ts'
import { withDefinitions } from './references.ts'
import { type Answer, type Rest, restClient, type SchemaRegistryOptions } from './rest.ts'

/**
 * A Confluent-compatible schema registry over HTTP (Confluent, Apicurio, Redpanda, Karapace, Azure …). Schemas are
 * immutable under their id, so each is fetched once; questions that are under way are not asked twice. Referenced
 * schemas are fetched and put in. Only Avro: any other kind of schema is `INCOMPATIBLE_SCHEMA`.
 *
 * Throws, besides the codes of the port: `AUTHENTICATION_FAILED`, `NOT_AUTHORIZED`, `INVALID_SCHEMA`, `INVALID_OPTION`
 * (something else answers at this URL).
 *
 * @example
 * ```ts
 * await run(shop, { log: kafka({ brokers: ['localhost:9092'] }), registry: schemaRegistry({ url: 'http://localhost:8081' }) })
 * ```
 */
export function schemaRegistry(options: SchemaRegistryOptions): SchemaRegistry {
  const rest = restClient(options)
  const schemas = new Map<number, AvroSchema>()
  const ids = new Map<string, number>()
  const once = sharing()

  const keyOf = (subject: string, schema: AvroSchema): string => `${subject}\n${canonical(parseSchema(schema))}`

  async function complete(id: number, answer: Answer): Promise<AvroSchema> {
    let schema = schemas.get(id)
    if (schema === undefined) {
      schema = await avroOf(rest, answer, `schema ${id}`)
      schemas.set(id, schema)
    }
    return schema
  }

  return {
    schema: (id) => schemas.get(id) ?? once(`id ${id}`, async () => complete(id, await rest.schema(id))),

    latest: (subject) =>
      once(`latest ${subject}`, async () => {
        const answer = await rest.version(subject, 'latest')
        const id = idIn(answer)
        return { id, schema: await complete(id, answer) }
      }),

    idOf(subject, schema) {
      const key = keyOf(subject, schema)
      return (
        ids.get(key) ??
        once(`find ${key}`, () =>
          unlessUnknown(undefined, async () => {
            const id = idIn(await rest.find(subject, asJson(schema)))
            ids.set(key, id)
            return id
          }),
        )
      )
    },

    register(subject, schema) {
      const key = keyOf(subject, schema)
      return (
        ids.get(key) ??
        once(`register ${key}`, async () => {
          const id = idIn(await rest.register(subject, asJson(schema)))
          ids.set(key, id)
          return id
        })
      )
    },

    // A subject that is not there accepts any schema.
    compatible: (subject, schema) =>
      unlessUnknown(true, async () => (await rest.compatible(subject, asJson(schema))).is_compatible !== false),
  }
}

/** The schema of an answer, whole: with the schemas that it refers to. */
async function avroOf(rest: Rest, answer: Answer, what: string): Promise<AvroSchema> {
  const { schema, schemaType = 'AVRO', references = [] } = answer
  if (schemaType !== 'AVRO') {
    throw new MillraceError('INCOMPATIBLE_SCHEMA', `${what} is of type ${schemaType}, only Avro can be read`)
  }
  if (typeof schema !== 'string') throw new MillraceError('INVALID_SCHEMA', `${what}: the answer holds no schema`)
  const text = /^\s*[[{"]/.test(schema) ? schema : JSON.stringify(schema)
  if (references.length === 0) return asJson(text)
  const definitions = new Map<string, AvroSchema>()
  await collect(rest, references, definitions)
  return withDefinitions(asJson(text), definitions)
}

async function collect(rest: Rest, references: Answer['references'], found: Map<string, AvroSchema>): Promise<void> {
  for (const { name, subject, version } of references ?? []) {
    if (found.has(name)) continue
    const answer = await rest.version(subject, version)
    if (typeof answer.schema !== 'string') throw new MillraceError('INVALID_SCHEMA', `${subject} holds no schema`)
    found.set(name, asJson(answer.schema))
    await collect(rest, answer.references, found)
  }
}

function idIn({ id }: Answer): number {
  if (typeof id === 'number') return id
  throw new MillraceError('INVALID_OPTION', 'the schema registry gave an answer without an id', {
    hint: 'is the URL that of a Confluent-compatible registry, with its base path?',
  })
}

async function unlessUnknown<T>(otherwise: T, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'UNKNOWN_SCHEMA') return otherwise
    throw error
  }
}

/** The same question while it is under way is the same promise. */
function sharing(): <T>(question: string, ask: () => Promise<T>) => Promise<T> {
  const underWay = new Map<string, Promise<unknown>>()
  return <T>(question: string, ask: () => Promise<T>): Promise<T> => {
    const known = underWay.get(question)
    if (known !== undefined) return known as Promise<T>
    const promise = ask().finally(() => underWay.delete(question))
    underWay.set(question, promise)
    return promise
  }
}
