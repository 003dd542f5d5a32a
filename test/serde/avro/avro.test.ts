import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import { avro, memoryRegistry } from '../../../src/serde/avro/index.ts'
import { serdeContract } from '../../../src/testing/contracts/serde.ts'
import { thrownBy } from '../../support/thrown-by.ts'
import { context, decode, encode, Order, OrderV2, order } from './orders.ts'

serdeContract('avro', avro(Order), {
  values: [order, { ...order, id: '', note: 'käse '.repeat(50) }, { ...order, amount: NaN, placed_at: -1 }],
  undecodable: [
    Buffer.of(),
    Buffer.of(0, 0, 0, 0),
    Buffer.of(0, 0, 0, 0, 99, 1, 2, 3),
    Buffer.of(0, 0, 0, 0, 1),
    Buffer.of(0, 0, 0, 0, 1, 2),
    Buffer.from('{"id":"o-1"}'),
    Buffer.from(`01${'ab'.repeat(16)}`, 'hex'),
  ],
  unencodable: [undefined, null, {}, 'text', { ...order, id: 5 }, { ...order, placed_at: 0.5 }],
  context: { registry: memoryRegistry() },
})
serdeContract('avro of a primitive', avro('long'), {
  values: [0, -1, 2 ** 50],
  context: { registry: memoryRegistry() },
})
serdeContract('avro with bigints', avro('long', { bigint: true }), {
  values: [0n, 2n ** 62n],
  context: { registry: memoryRegistry() },
})

test('writes the Confluent wire format', () => {
  const registry = memoryRegistry([{ subject: 'other', schema: 'int' }])
  const bytes = encode(avro(Order).open(context(registry)), order)
  expect([...bytes.subarray(0, 5)]).toEqual([0, 0, 0, 0, 2])
  expect({ ...avsc.Type.forSchema(Order as never).fromBuffer(bytes.subarray(5)) }).toEqual(order)
})

test('tells its name and its schema', () => {
  expect(avro(Order)).toMatchObject({ format: 'avro(Order)', schema: Order })
  expect(avro(JSON.stringify(Order))).toMatchObject({ format: 'avro(Order)', schema: Order })
})

test('throws at once for a schema that is none, and without a registry', () => {
  expect(thrownBy(() => avro('strin')).code).toBe('INVALID_SCHEMA')
  const wrongDefault = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int', default: 'x' }] }
  expect(thrownBy(() => avro(wrongDefault)).code).toBe('INVALID_SCHEMA')
  const error = thrownBy(() => avro(Order).open({ topic: 'orders', part: 'value' }))
  expect(error).toMatchObject({ code: 'INVALID_OPTION', hint: expect.stringContaining('registry') })
})

describe('evolution', () => {
  test('each record is read by the schema it was written with', () => {
    const registry = memoryRegistry()
    const old = encode(avro(Order).open(context(registry)), order)
    const reader = avro<object>(OrderV2).open(context(registry))
    const current = encode(reader, { ...order, currency: 'USD' })
    expect(current.readInt32BE(1)).not.toBe(old.readInt32BE(1))
    for (let i = 0; i < 3; i++) {
      expect(decode(reader, old)).toEqual({ ...order, currency: 'EUR' })
      expect(decode(reader, current)).toEqual({ ...order, currency: 'USD' })
    }
    expect(decode(avro(Order).open(context(registry)), current)).toEqual(order)
  })

  test('a schema that cannot be read as ours: the reason, the id and the code', () => {
    const registry = memoryRegistry([{ subject: 'x', schema: { ...Order, fields: [{ name: 'id', type: 'int' }] } }])
    const error = thrownBy(() => decode(avro(Order).open(context(registry)), Buffer.of(0, 0, 0, 0, 1, 2)))
    expect(error).toMatchObject({
      code: 'UNDECODABLE_RECORD',
      message: expect.stringContaining(
        'written with schema 1, which cannot be read as shop.Order: id: cannot read int as string',
      ),
      cause: { code: 'INCOMPATIBLE_SCHEMA' },
    })
  })
})

describe('errors say what is wrong', () => {
  const registry = memoryRegistry([{ subject: 'orders-value', schema: Order }])
  const codec = avro(Order).open(context(registry))
  const whole = encode(codec, order)
  test.each<[string, Uint8Array, string]>([
    ['cut short', whole.subarray(0, 12), 'written with schema 1: amount: a double reaches past the end'],
    ['left over', Buffer.concat([whole, Buffer.of(1, 2)]), '2 bytes are left over after the value'],
    ['no header', Buffer.of(0, 0), '2 bytes are too few for a schema id'],
    ['JSON', Buffer.from('{"a":1}'), 'these bytes begin with 123 (string "{\\"a\\":1}")'],
    ['an id that is none', Buffer.of(0, 255, 255, 255, 255, 0), 'unknown schema id -1'],
    ['unknown id', Buffer.of(0, 0, 0, 1, 0, 0), 'unknown schema id 256'],
    ['GUID', Buffer.from(`01${'ab'.repeat(16)}00`, 'hex'), `named by the GUID ${'ab'.repeat(16)}`],
  ])('%s', (_, bytes, message) => {
    const error = thrownBy(() => decode(codec, bytes))
    expect(error).toMatchObject({ code: 'UNDECODABLE_RECORD', retriable: false, context: { topic: 'orders' } })
    expect(error.message).toContain(message)
    expect(error.message).toContain('cannot decode the value')
  })

  test('endless nesting', () => {
    const list = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] }
    const nested = avro(list).open(context(memoryRegistry([{ subject: 'orders-value', schema: list }])))
    const bytes = Buffer.alloc(1_000_000, 2)
    bytes.writeInt32BE(1, 1)
    bytes[0] = 0
    expect(thrownBy(() => decode(nested, bytes)).code).toBe('UNDECODABLE_RECORD')
  })

  test('a value', () => {
    const error = thrownBy(() => encode(codec, { ...order, amount: '12.5' } as never))
    expect(error.code).toBe('UNENCODABLE_RECORD')
    expect(error.message).toContain('amount: expected double, got string "12.5" (topic orders)')
  })
})
