import { MillraceError } from '../../errors.ts'
import type { Clock } from '../../time.ts'
import { type AvroSchema, PendingSchema, type SchemaRegistry } from '../serde.ts'
import { parseSchema } from './schema.ts'
import type { AvroType } from './types.ts'

export interface UnknownIds {
  /** How long a schema that the registry does not know (yet) is asked for again, in ms. */
  readonly graceMs: number
  readonly clock: Clock
}

/** The schemas that data was written with, by id, as one registry knows them; shared by all serdes on it. */
export interface WriterSchemas {
  /**
   * Throws {@link PendingSchema} when it must be fetched, and why not when it cannot be had (`UNKNOWN_SCHEMA`,
   * `INVALID_SCHEMA`, `INCOMPATIBLE_SCHEMA`).
   */
  get(id: number, unknown: UnknownIds): AvroType
  /** What is written here need not be fetched to be read here: stores read back what they have written. */
  learn(id: number, type: AvroType): void
}

const shared = new WeakMap<SchemaRegistry, WriterSchemas>()

export function writerSchemas(registry: SchemaRegistry): WriterSchemas {
  let schemas = shared.get(registry)
  if (!schemas) shared.set(registry, (schemas = create(registry)))
  return schemas
}

/** An id that is not known is not asked for again for so long; then once more, without a grace. */
const unknownForMs = 60_000
/** A topic full of garbage must not be waited for id by id: when so many were given up lately, the next get no grace. */
const mostWaitedFor = 3
/** Garbage that looks like ids must not fill the memory. */
const mostUnknown = 10_000

function create(registry: SchemaRegistry): WriterSchemas {
  const known = new Map<number, AvroType>()
  const unusable = new Map<number, MillraceError>()
  const unknown = new Map<number, { readonly error: MillraceError; readonly since: number; readonly until: number }>()
  const loading = new Map<number, Promise<void>>()

  function accept(id: number, schema: AvroSchema): AvroType {
    const type = parseSchema(schema)
    known.set(id, type)
    unknown.delete(id)
    return type
  }

  /** Remembers that an id cannot be had, or throws: the answer may be another one next time. */
  function refuse(id: number, thrown: unknown, { clock, graceMs }: UnknownIds): void {
    const error = thrown instanceof MillraceError ? thrown : undefined
    if (error?.code === 'INVALID_SCHEMA' || error?.code === 'INCOMPATIBLE_SCHEMA') {
      unusable.set(id, error)
      return
    }
    if (error?.code !== 'UNKNOWN_SCHEMA') throw thrown
    const now = clock.now()
    const before = unknown.get(id)
    const since = before?.since ?? now
    const grace = tooMany(now) ? 0 : graceMs
    if (unknown.size > mostUnknown) unknown.clear()
    unknown.set(id, { error, since, until: now - since < grace ? 0 : now + unknownForMs })
    if (now - since < grace) {
      throw new MillraceError('UNAVAILABLE', `schema ${id} is not in the registry, perhaps not yet`, {
        cause: error,
        retriable: true,
      })
    }
  }

  function tooMany(now: number): boolean {
    let givenUp = 0
    for (const { until } of unknown.values()) if (until > now && ++givenUp >= mostWaitedFor) return true
    return false
  }

  async function settle(id: number, answer: Promise<AvroSchema>, policy: UnknownIds): Promise<void> {
    try {
      accept(id, await answer)
    } catch (error) {
      refuse(id, error, policy)
    }
  }

  function follow(id: number, answer: Promise<AvroSchema>, policy: UnknownIds): Promise<void> {
    const settled = settle(id, answer, policy).finally(() => loading.delete(id))
    // It may fail before anybody awaits `load`; whoever does then asks again.
    settled.catch(() => {})
    loading.set(id, settled)
    return settled
  }

  const ask = async (id: number): Promise<AvroSchema> => registry.schema(id)

  return {
    learn: (id, type) => void known.set(id, type),
    get(id, policy) {
      const type = known.get(id)
      if (type) return type
      const error = unusable.get(id)
      if (error) throw error
      const missing = unknown.get(id)
      if (missing && policy.clock.now() < missing.until) throw missing.error
      if (!loading.has(id)) {
        const answer = registry.schema(id)
        if (!(answer instanceof Promise)) return accept(id, answer)
        void follow(id, answer, policy)
      }
      throw new PendingSchema(id, async () => {
        if (!known.has(id)) await (loading.get(id) ?? follow(id, ask(id), policy))
      })
    },
  }
}
