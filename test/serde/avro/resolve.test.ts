import { describe, expect, test } from 'vitest'
import { compileDecoder } from '../../../src/serde/avro/decoder.ts'
import { compileEncoder } from '../../../src/serde/avro/encoder.ts'
import { incompatibilities, resolve } from '../../../src/serde/avro/resolve.ts'
import { parseSchema } from '../../../src/serde/avro/schema.ts'
import { ByteWriter, byteSource } from '../../../src/serde/bytes.ts'
import type { AvroSchema } from '../../../src/serde/serde.ts'

const record = (...fields: [name: string, type: unknown, more?: object][]): AvroSchema => ({
  type: 'record',
  name: 'R',
  fields: fields.map(([name, type, more]) => ({ name, type, ...more })),
})

/** What a value written with one schema is to those who read it with another. */
function read(writer: AvroSchema, reader: AvroSchema, value: unknown): unknown {
  const type = parseSchema(writer)
  const out = new ByteWriter()
  compileEncoder(type)(value, out)
  return compileDecoder(resolve(type, parseSchema(reader)))(byteSource(out.bytes()), 0, out.position)
}

const why = (writer: AvroSchema, reader: AvroSchema) => incompatibilities(parseSchema(writer), parseSchema(reader))

test('the fields are those of the reader, in its order', () => {
  const writer = record(['a', 'int'], ['gone', 'string'], ['b', 'string'])
  const reader = record(['c', 'string', { default: 'new' }], ['b', 'string'], ['a', 'long'])
  const value = read(writer, reader, { a: 1, gone: 'x', b: 'y' }) as object
  expect(Object.entries(value)).toEqual([
    ['c', 'new'],
    ['b', 'y'],
    ['a', 1],
  ])
})

test('a default is a value of its own each time', () => {
  const reader = record(['list', { type: 'array', items: 'int' }, { default: [1] }])
  const one = read(record(), reader, {}) as { list: number[] }
  one.list.push(2)
  expect(read(record(), reader, {})).toEqual({ list: [1] })
})

test.each<[string, AvroSchema, AvroSchema, unknown, unknown]>([
  ['int to double', 'int', 'double', 7, 7],
  ['long to float', 'long', 'float', 2 ** 40, 2 ** 40],
  ['string to bytes', 'string', 'bytes', 'ä', Uint8Array.of(0xc3, 0xa4)],
  ['bytes to string', 'bytes', 'string', Uint8Array.of(0xc3, 0xa4), 'ä'],
  ['a type to a union', 'int', ['null', 'string', 'long'], 7, 7],
  ['a union to a type, where the data allows it', ['null', 'int'], 'long', 7, 7],
  ['a union to another', ['null', 'int', 'string'], ['string', 'double', 'null'], 7, 7],
  ['an ambiguous union tells the branch', 'int', ['long', 'string', 'double'], 7, { long: 7 }],
  ['the equal branch before one by promotion', 'string', ['bytes', 'string'], 'a', 'a'],
  ['the equal branch, ambiguous', 'int', ['double', 'long', 'int'], 7, { int: 7 }],
  ['null in an ambiguous union', ['null', 'int'], ['null', 'int', 'long'], null, null],
])('%s', (_, writer, reader, value, expected) => {
  expect(read(writer, reader, value)).toEqual(expected)
})

describe('long', () => {
  test('beyond 2^53 becomes a double by rounding', () => {
    expect(read('long', 'double', 2n ** 60n + 1n)).toBe(2 ** 60)
  })
  test.each([2n ** 53n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)])('%d is refused as a number', (value) => {
    expect(() => read('long', 'long', value)).toThrow(`the value: ${value} is beyond 2^53`)
  })
  test.each([2 ** 53 - 1, 1 - 2 ** 53, 2 ** 31, -(2 ** 31) - 1, 2 ** 27, 2 ** 48])('%d is exact', (value) => {
    expect(read('long', 'long', value)).toBe(value)
  })
})

describe('names', () => {
  const named = (name: string, more = {}): AvroSchema => ({ type: 'enum', name, symbols: ['A'], ...more })

  test('match without the namespace, as the specification says', () => {
    expect(read(named('old.E'), named('new.E'), 'A')).toBe('A')
  })
  test('match by alias', () => {
    expect(read(named('old.E'), named('F', { aliases: ['old.E'] }), 'A')).toBe('A')
  })
  test('that differ are refused, with the alias that would help', () => {
    expect(() => read(named('old.E'), named('F'), 'A')).toThrow(
      'cannot read enum old.E as enum F (an alias "old.E" on F',
    )
  })
  test('fields match by name before they match by alias', () => {
    const reader = record(['b', 'int', { aliases: ['a'], default: 0 }], ['a', 'int'])
    expect(read(record(['a', 'int']), reader, { a: 7 })).toEqual({ b: 0, a: 7 })
  })
  test('a field that was renamed', () => {
    expect(read(record(['a', 'int']), record(['b', 'int', { aliases: ['x', 'a'] }]), { a: 7 })).toEqual({ b: 7 })
  })
  test('the full name decides between records of a union', () => {
    const branch = (name: string, field: string) => ({ type: 'record', name, fields: [{ name: field, type: 'int' }] })
    expect(read(branch('y.A', 'f'), [branch('x.A', 'f'), branch('y.A', 'f')], { f: 1 })).toEqual({ 'y.A': { f: 1 } })
  })
})

describe('only data that does not fit is refused', () => {
  test('a branch that the reader lacks', () => {
    expect(() => read(['null', 'int'], 'int', null)).toThrow('cannot read null as int')
  })
  test('a symbol that the reader lacks', () => {
    const enumOf = (symbols: string[], more = {}) => ({ type: 'enum', name: 'E', symbols, ...more })
    expect(read(enumOf(['A', 'B']), enumOf(['B']), 'B')).toBe('B')
    expect(() => read(enumOf(['A', 'B']), enumOf(['B']), 'A')).toThrow('E has no symbol A and no default')
    expect(read(enumOf(['A', 'B']), enumOf(['C', 'B'], { default: 'C' }), 'A')).toBe('C')
  })
})

describe('reasons name the field and the types', () => {
  test.each<[AvroSchema, AvroSchema, string]>([
    [record(['a', 'int']), record(['a', 'string']), 'a: cannot read int as string'],
    [record(), record(['a', 'int']), "field a of R is not in the writer's schema and has no default"],
    [record(['a', ['null', 'int']]), record(['a', 'int']), 'a: cannot read null as int'],
    [record(['a', 'long']), record(['a', 'int']), 'a: cannot read long as int'],
    [
      record(['a', { type: 'map', values: 'string' }]),
      record(['a', { type: 'map', values: ['null', 'int'] }]),
      'a{}: cannot read string as any of [null, int]',
    ],
    [
      record(['a', { type: 'array', items: { type: 'record', name: 'I', fields: [{ name: 'x', type: 'int' }] } }]),
      record(['a', { type: 'array', items: { type: 'record', name: 'I', fields: [{ name: 'x', type: 'boolean' }] } }]),
      'a[].x: cannot read int as boolean',
    ],
    [
      record(['a', { type: 'long', logicalType: 'timestamp-micros' }]),
      record(['a', { type: 'long', logicalType: 'timestamp-millis' }]),
      'a: cannot read long (logical type timestamp-micros) as long (logical type timestamp-millis)',
    ],
    [
      record(['a', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }]),
      record(['a', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 3 }]),
      'a: cannot read decimal(9, 2) as decimal(9, 3)',
    ],
    [
      record(['a', { type: 'fixed', name: 'F', size: 2 }]),
      record(['a', { type: 'fixed', name: 'F', size: 3 }]),
      'a: cannot read fixed(2) F as fixed(3) F',
    ],
  ])('%#', (writer, reader, reason) => expect(why(writer, reader)).toEqual([reason]))

  test('a recursive schema is gone through once', () => {
    const list = (value: unknown) => record(['value', value], ['next', ['null', 'R']])
    expect(why(list('int'), list('long'))).toEqual([])
    expect(why(list('int'), list('string'))).toEqual(['value: cannot read int as string'])
  })
})

describe('recursion and repetition', () => {
  test('a record within itself', () => {
    const writer = record(['value', 'int'], ['extra', 'string'], ['next', ['null', 'R']])
    const reader = record(['next', ['null', 'R']], ['value', 'long'])
    const value = { value: 1, extra: 'a', next: { value: 2, extra: 'b', next: null } }
    expect(read(writer, reader, value)).toEqual({ value: 1, next: { value: 2, next: null } })
  })

  test('a type used again and again keeps the code small', () => {
    // 2^20 leaves, were each use written out.
    let type: unknown = { type: 'record', name: 'L0', fields: [{ name: 'x', type: 'int' }] }
    let value: unknown = { x: 1 }
    for (let i = 1; i <= 20; i++) {
      const fields = [
        { name: 'a', type },
        { name: 'b', type: ['null', `L${i - 1}`] },
      ]
      type = { type: 'record', name: `L${i}`, fields }
      value = { a: value, b: null }
    }
    expect(read(type as AvroSchema, type as AvroSchema, value)).toEqual(value)
  })

  test('nesting without end in the data is an error like any other', () => {
    const list = parseSchema(record(['next', ['null', 'R']]))
    const bytes = Buffer.alloc(200_000, 2)
    expect(() => compileDecoder(resolve(list, list))(byteSource(bytes), 0, bytes.length)).toThrow()
  })
})
