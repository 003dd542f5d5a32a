import { expect, it } from 'vitest'
import { avro } from '../../../src/serde/avro/avro.ts'
import { memoryRegistry } from '../../../src/serde/avro/registry/memory.ts'
import { ByteWriter, byteSource } from '../../../src/serde/bytes.ts'
import type { AvroSchema } from '../../../src/serde/serde.ts'

const order = (...fields: object[]): AvroSchema => ({ type: 'record', name: 'Order', fields })
const ID = { name: 'id', type: 'string' }
const AMOUNT = { name: 'amount', type: 'double' }
const V1 = order(ID, AMOUNT)
const CHANNEL = { name: 'channel', type: { type: 'enum', name: 'Channel', symbols: ['web', 'app'] }, default: 'web' }
const V2 = order(ID, CHANNEL, AMOUNT)
const RENAMED = order(ID, { name: 'total', type: 'double', aliases: ['amount'] })

const registry = memoryRegistry()
const context = { topic: 'orders', part: 'value', registry } as const

function written(schema: AvroSchema, value: object) {
  const out = new ByteWriter()
  avro<object>(schema).open(context).encode(value, out)
  return byteSource(Buffer.from(out.bytes()))
}
const read = (serde: ReturnType<typeof avro<object>>, source: ReturnType<typeof byteSource>) =>
  serde.open(context).decode(source, 0, source.buffer.length)

it('skips the fields that only the producer knows, or keeps them when asked to', () => {
  const bytes = written(V2, { id: 'a', channel: 'app', amount: 1 })
  expect(read(avro<object>(V1), bytes)).toEqual({ id: 'a', amount: 1 })
  expect(read(avro<object>(V1, { evolve: true }), bytes)).toEqual({ id: 'a', amount: 1, channel: 'app' })
})

it('tells the schema with the new fields before the first value, and to those who listen later', () => {
  const serde = avro<object>(V1, { evolve: true })
  const early: AvroSchema[] = []
  serde.onSchema!((schema) => early.push(schema))
  read(serde, written(V1, { id: 'a', amount: 1 }))
  expect(early).toEqual([])
  read(serde, written(V2, { id: 'b', channel: 'app', amount: 2 }))
  read(serde, written(V2, { id: 'c', channel: 'web', amount: 3 }))
  const late: AvroSchema[] = []
  serde.onSchema!((schema) => late.push(schema))
  expect(early).toMatchObject([
    { name: 'Order', fields: [{ name: 'id' }, { name: 'amount' }, { name: 'channel', default: 'web' }] },
  ])
  expect(late).toEqual(early)
  expect(avro(V1).onSchema).toBeUndefined()
})

it('follows the alias of a producer that has renamed a field, in both modes', () => {
  const bytes = written(RENAMED, { id: 'a', total: 7 })
  expect(read(avro<object>(V1), bytes)).toEqual({ id: 'a', amount: 7 })
  expect(read(avro<object>(V1, { evolve: true }), bytes)).toEqual({ id: 'a', amount: 7 })
})
