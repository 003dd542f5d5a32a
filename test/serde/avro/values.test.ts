import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decimalBytes, decimalText, unscaled } from '../../../src/serde/avro/decimal.ts'
import { compileDecoder } from '../../../src/serde/avro/decoder.ts'
import { compileEncoder } from '../../../src/serde/avro/encoder.ts'
import { explain } from '../../../src/serde/avro/explain.ts'
import { resolve } from '../../../src/serde/avro/resolve.ts'
import { parseSchema } from '../../../src/serde/avro/schema.ts'
import { ByteWriter, byteSource } from '../../../src/serde/bytes.ts'
import type { AvroSchema } from '../../../src/serde/serde.ts'

function bytesOf(schema: AvroSchema, value: unknown, bigint = false): Buffer {
  const out = new ByteWriter()
  compileEncoder(parseSchema(schema), bigint)(value, out)
  return out.bytes()
}
function readFrom(schema: AvroSchema, bytes: Uint8Array, bigint = false): unknown {
  const type = parseSchema(schema)
  return compileDecoder(resolve(type, type, bigint), bigint)(byteSource(bytes), 0, bytes.length)
}
const roundTrip = (schema: AvroSchema, value: unknown, bigint = false) =>
  readFrom(schema, bytesOf(schema, value, bigint), bigint)

const money = { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 2 }
const id = '14f0a09a-7830-4a4d-3b6d-1cafbaa2a28b'

test.each<[string, AvroSchema, unknown]>([
  ['date', { type: 'int', logicalType: 'date' }, 19_723],
  ['timestamp-millis', { type: 'long', logicalType: 'timestamp-millis' }, 1_700_000_000_123],
  ['timestamp-micros', { type: 'long', logicalType: 'timestamp-micros' }, 1_700_000_000_123_456],
  ['timestamp-nanos', { type: 'long', logicalType: 'timestamp-nanos' }, 1_700_000_000_123_456_789n],
  ['uuid on string', { type: 'string', logicalType: 'uuid' }, id],
  ['uuid on fixed', { type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' }, id],
  ['decimal', money, '12.30'],
  ['decimal on fixed', { ...money, type: 'fixed', name: 'D', size: 16 }, '-0.01'],
  ['decimal in a union', ['null', money], '7.00'],
  ['float', 'float', 1.5],
  ['bytes', 'bytes', Uint8Array.of(1, 2)],
])('%s', (_, schema, value) => expect(roundTrip(schema, value)).toEqual(value))

test('a uuid on fixed is its 16 bytes', () => {
  expect(bytesOf({ type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' }, id).toString('hex')).toBe(
    id.replaceAll('-', ''),
  )
})

describe('decimal', () => {
  test.each([
    ['0', '00', 0],
    ['-1', 'ff', 0],
    ['127', '7f', 0],
    ['128', '0080', 0],
    ['-128', '80', 0],
    ['-129', 'ff7f', 0],
    ['12.30', '04ce', 2],
  ])('%s is %s', (text, hex, scale) => {
    // As java.math.BigInteger.toByteArray writes the unscaled value.
    expect(Buffer.from(decimalBytes(unscaled(text, 40, scale) as bigint)).toString('hex')).toBe(hex)
  })

  test('any, to and fro', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(20), (n, scale) => {
        const bytes = decimalBytes(n)
        const text = decimalText(bytes, 0, bytes.length, scale)
        expect(unscaled(text, 40, scale)).toBe(n)
        const wide = decimalBytes(n, 20)
        expect(decimalText(wide, 0, 20, scale)).toBe(text)
      }),
    )
  })

  test.each([
    ['12.3', 1230n],
    ['12.300', 1230n],
    ['+12', 1200n],
    ['12.345', undefined],
    ['1e3', undefined],
    ['', undefined],
    ['.5', undefined],
    [12.5, undefined],
    ['1000', undefined],
    ['999.99', 99_999n],
  ])('%j at precision 5 and scale 2: %s', (text, expected) => expect(unscaled(text, 5, 2)).toBe(expected))
})

describe('bigint', () => {
  test.each([0n, -1n, 63n, 2n ** 27n, -(2n ** 53n), 2n ** 56n, 2n ** 63n - 1n, -(2n ** 63n)])('%d', (value) => {
    expect(roundTrip('long', value, true)).toBe(value)
  })
  test('any', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => roundTrip('long', n, true) === n),
    )
  })
  test('an int that is read as a long, and a default', () => {
    const reader = parseSchema({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'long', default: 5 }] })
    const decoder = (writer: AvroSchema) => compileDecoder(resolve(parseSchema(writer), reader, true), true)
    const writer = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] }
    expect(decoder(writer)(byteSource(Buffer.of(2)), 0, 1)).toEqual({ a: 1n })
    expect(decoder({ ...writer, fields: [] })(byteSource(Buffer.of()), 0, 0)).toEqual({ a: 5n })
  })
})

describe('writing', () => {
  const schema = {
    type: 'record',
    name: 'R',
    fields: [
      { name: 'a', type: 'int', default: 7 },
      { name: 'b', type: ['null', 'string'] },
    ],
  }
  test('a field that is left out takes its default, or null', () => {
    expect(roundTrip(schema, {})).toEqual({ a: 7, b: null })
  })
  test('what the schema does not have is left out', () => {
    expect(roundTrip(schema, { a: 1, b: 'x', c: 2 })).toEqual({ a: 1, b: 'x' })
  })
  test('a key called __proto__ stays a key', () => {
    const value = JSON.parse('{"__proto__": 1, "a": 2}')
    const back = roundTrip({ type: 'map', values: 'int' }, value) as object
    expect(Object.entries(back)).toEqual(Object.entries(value))
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
  })
  test('a field called __proto__ stays a field', () => {
    const odd = { type: 'record', name: 'R', fields: [{ name: '__proto__', type: 'int' }] }
    expect(Object.keys(roundTrip(odd, JSON.parse('{"__proto__": 1}')) as object)).toEqual(['__proto__'])
  })
})

describe('explain names the path and what is there', () => {
  const item = {
    type: 'record',
    name: 'Item',
    fields: [
      { name: 'sku', type: 'string' },
      { name: 'n', type: 'int' },
    ],
  }
  const order: AvroSchema = {
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'items', type: { type: 'array', items: item }, default: [] },
      { name: 'tags', type: { type: 'map', values: 'int' }, default: {} },
      { name: 'note', type: ['null', 'string'], default: null },
      { name: 'total', type: money, default: '\u0000' },
      { name: 'size', type: { type: 'enum', name: 'Size', symbols: ['S', 'L'] }, default: 'S' },
      { name: 'either', type: ['null', 'int', 'double'], default: null },
      { name: 'who', type: 'string' },
    ],
  }
  test.each<[object, string]>([
    [{}, 'who: is missing (string, no default)'],
    [{ who: 1 }, 'who: expected string, got number 1'],
    [{ who: null }, 'who: expected string, got null'],
    [
      {
        who: 'a',
        items: [
          { sku: 'x', n: 1 },
          { sku: 'y', n: 1.5 },
        ],
      },
      'items[1].n: expected int, got number 1.5',
    ],
    [{ who: 'a', items: {} }, 'items: expected array of record Item, got an object'],
    [{ who: 'a', items: [null] }, 'items[0]: expected record Item, got null'],
    [{ who: 'a', tags: { x: '1' } }, 'tags["x"]: expected int, got string "1"'],
    [{ who: 'a', tags: [] }, 'tags: expected map of int, got an array of 0'],
    [{ who: 'a', tags: new Map([['x', 1]]) }, 'tags: expected map of int, got a Map'],
    [{ who: 'a', note: 5n }, 'note: expected [null, string], got bigint 5n'],
    [{ who: 'a', total: 5 }, 'total: expected decimal(30, 2), got number 5'],
    [{ who: 'a', total: '1.234' }, 'total: expected decimal(30, 2), got string "1.234"'],
    [{ who: 'a', size: 'M' }, 'size: expected enum Size, got string "M"; its symbols are S, L'],
    [
      { who: 'a', either: 1 },
      'either: expected [null, int, double], got number 1; values of this union are written as',
    ],
    [{ who: 'a', either: { int: 1.5 } }, 'either.int: expected int, got number 1.5'],
  ])('%#', (value, reason) => {
    expect(() => bytesOf(order, value)).toThrow(/not one of the schema|BigInt/)
    expect(explain(parseSchema(order), value)).toContain(reason)
  })
  test('nothing is wrong with a value that can be written', () => {
    const value = { who: 'a', either: { int: 1 }, total: '1', size: 'L', tags: { a: 1 }, items: [{ sku: 's', n: 1 }] }
    expect(explain(parseSchema(order), value)).toBeUndefined()
    expect(roundTrip(order, value)).toEqual({ ...value, total: '1.00', note: null })
  })
})

describe('bytes made to do harm', () => {
  test.each<[string, AvroSchema, string]>([
    ['a string that claims 2 GB', 'string', 'fcffffff0f'],
    ['a string of negative length', 'string', '01'],
    ['a string whose length has no end', 'string', 'ffffffffffffffffffff'],
    ['billions of nulls', { type: 'array', items: 'null' }, 'ffffffff1f00'],
    ['billions of nulls in blocks', { type: 'array', items: 'null' }, '8080807a8080807a8080807a00'],
    ['a long of eleven bytes', 'long', 'ffffffffffffffffffffff01'],
    ['a long of 65 bits', 'long', 'ffffffffffffffffff7f'],
    ['an int of 36 bits', 'int', 'ffffffff7f'],
    ['a boolean of 2', 'boolean', '02'],
    ['a branch that is not there', ['null', 'int'], '04'],
    ['a symbol that is not there', { type: 'enum', name: 'E', symbols: ['A'] }, '02'],
  ])('%s', (_, schema, hex) => {
    expect(() => readFrom(schema, Buffer.from(hex, 'hex'))).toThrow(expect.objectContaining({ name: 'Fault' }))
    const skipping = { type: 'record', name: 'R', fields: [{ name: 'x', type: schema }] }
    const none = parseSchema({ type: 'record', name: 'R', fields: [] })
    const bytes = Buffer.from(hex, 'hex')
    const skip = compileDecoder(resolve(parseSchema(skipping), none))
    // What is skipped need not be looked at closely, but it must neither take long nor end anywhere else.
    try {
      expect(skip(byteSource(bytes), 0, bytes.length)).toEqual({})
    } catch (error) {
      expect(error).toMatchObject({ name: 'Fault' })
    }
  })
})
