import { beforeEach, describe, expect, it } from 'vitest'
import { isRetriable, MillraceError } from '../../errors.ts'
import type { AvroSchema, SchemaRegistry } from '../../serde/serde.ts'

/**
 * What every schema registry must keep, at a compatibility level of BACKWARD; run it on your own too. `make` is called
 * once per test and may give the same registry again: subjects are new each time.
 */
export function registryContract(name: string, make: () => SchemaRegistry | Promise<SchemaRegistry>): void {
  describe(`registry contract: ${name}`, () => {
    let registry: SchemaRegistry
    let subject: string
    let first: AvroSchema
    beforeEach(async () => {
      registry = await make()
      const unique = `${Date.now().toString(36)}${Math.floor(Math.random() * 1e9).toString(36)}`
      subject = `orders-${unique}-value`
      first = order(unique, [])
    })

    it('gives back what was registered', async () => {
      const id = await registry.register(subject, first)
      expect(await registry.schema(id)).toEqual(first)
      expect(await registry.latest(subject)).toEqual({ id, schema: first })
      expect(await registry.idOf(subject, first)).toBe(id)
    })

    it('gives the same schema the same id, also to many at once', async () => {
      const ids = await Promise.all(Array.from({ length: 5 }, async () => registry.register(subject, first)))
      expect(new Set([...ids, await registry.register(subject, structuredClone(first))]).size).toBe(1)
    })

    it('knows a schema by its subject, and by nothing else', async () => {
      expect(await registry.idOf(subject, first)).toBeUndefined()
      const id = await registry.register(subject, first)
      expect(await registry.idOf(subject, extended(first, 'note', 'string', ''))).toBeUndefined()
      expect(await registry.idOf(`${subject}-other`, first)).toBeUndefined()
      expect(await registry.idOf(subject, first)).toBe(id)
    })

    it('takes compatible versions, and still knows the old ones', async () => {
      const second = extended(first, 'note', ['null', 'string'], null)
      const id = await registry.register(subject, first)
      expect(await registry.compatible(subject, second)).toBe(true)
      const next = await registry.register(subject, second)
      expect(next).not.toBe(id)
      expect(await registry.latest(subject)).toEqual({ id: next, schema: second })
      expect(await registry.schema(id)).toEqual(first)
    })

    it('refuses a version whose readers could not read the last one', async () => {
      const bad = extended(first, 'needed', 'string')
      await registry.register(subject, first)
      expect(await registry.compatible(subject, bad)).toBe(false)
      expect((await thrownBy(async () => registry.register(subject, bad))).code).toBe('INCOMPATIBLE_SCHEMA')
      expect(await registry.idOf(subject, bad)).toBeUndefined()
      expect((await registry.latest(subject)).schema).toEqual(first)
    })

    it('takes any schema under a new subject', async () => {
      expect(await registry.compatible(subject, first)).toBe(true)
    })

    it('keeps schemas that are not records, and types that refer to themselves', async () => {
      const id = await registry.register(`${subject}-key`, 'string')
      expect(await registry.schema(id)).toEqual('string')
      const tree = extended(first, 'children', { type: 'array', items: (first as { name: string }).name }, [])
      expect(await registry.schema(await registry.register(`${subject}-tree`, tree))).toEqual(tree)
    })

    it('says UNKNOWN_SCHEMA for an id and a subject that are not there', async () => {
      for (const ask of [async () => registry.schema(2_000_000_000), async () => registry.latest(subject)]) {
        const error = await thrownBy(ask)
        expect(error.code).toBe('UNKNOWN_SCHEMA')
        expect(isRetriable(error)).toBe(false)
      }
    })

    it('says INVALID_SCHEMA for what is none', async () => {
      const broken = { type: 'record', name: 'Broken', fields: [{ name: 'x', type: 'strin' }] }
      expect((await thrownBy(async () => registry.register(subject, broken))).code).toBe('INVALID_SCHEMA')
    })

    it('takes subjects with any characters', async () => {
      const odd = `${subject} ä&?#%`
      const id = await registry.register(odd, first)
      expect(await registry.latest(odd)).toEqual({ id, schema: first })
    })
  })
}

function order(unique: string, more: readonly object[]): AvroSchema {
  return {
    type: 'record',
    name: `Order${unique}`,
    fields: [
      { name: 'id', type: 'string' },
      { name: 'placed_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'state', type: { type: 'enum', name: `State${unique}`, symbols: ['NEW', 'DONE'] }, default: 'NEW' },
      ...more,
    ],
  }
}

function extended(schema: AvroSchema, name: string, type: unknown, fallback?: unknown): AvroSchema {
  const record = schema as { fields: readonly object[] }
  return { ...record, fields: [...record.fields, { name, type, ...(fallback !== undefined && { default: fallback }) }] }
}

async function thrownBy(action: () => Promise<unknown>): Promise<MillraceError> {
  try {
    await action()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was thrown')
}
