import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../../../../src/serde/bytes.ts'
import { UnfitValue } from '../../../../src/sinks/clickhouse/types/column-encoder.ts'
import { keyType, nullable, widened } from '../../../../src/sinks/clickhouse/types/column-spec.ts'
import { encoderFor } from '../../../../src/sinks/clickhouse/types/encoder-for.ts'
import { inferType } from '../../../../src/sinks/clickhouse/types/infer.ts'
import { parseTypeName } from '../../../../src/sinks/clickhouse/types/type-name.ts'

const encoder = (type: string, unit?: 'ms' | 'us' | 'ns') => encoderFor(parseTypeName(type), unit)

describe('type names', () => {
  it('are taken apart at the commas that count', () => {
    const type = parseTypeName("Map(LowCardinality(String), Tuple(`an, id` Int32, e Enum8('a,(' = 1, 'it\\'s' = 2)))")
    const [key, value] = type.types
    expect([type.name, key!.text, value!.name]).toEqual(['Map', 'LowCardinality(String)', 'Tuple'])
    expect(value!.labels).toEqual(['`an, id`', 'e'])
    expect(value!.types[1]!.literals).toEqual(["'a,(' = 1", "'it\\'s' = 2"])
  })

  it('know tuples without names, times with zones, and functions', () => {
    expect(parseTypeName('Tuple(Int32, String)').labels).toBeUndefined()
    expect(parseTypeName("DateTime64(3, 'Europe/Berlin')").literals).toEqual(['3', "'Europe/Berlin'"])
    expect(parseTypeName('SimpleAggregateFunction(sum, Float64)').types[0]!.text).toBe('Float64')
  })
})

describe('column types', () => {
  it('are nullable where that is a type, and not in keys', () => {
    expect(['String', 'LowCardinality(String)', 'Array(String)', 'Nullable(Int8)'].map(nullable)).toEqual([
      'Nullable(String)',
      'LowCardinality(Nullable(String))',
      'Array(String)',
      'Nullable(Int8)',
    ])
    expect(['Nullable(String)', 'LowCardinality(Nullable(String))', 'Int8'].map(keyType)).toEqual([
      'String',
      'LowCardinality(String)',
      'Int8',
    ])
  })

  it.each([
    ['Int32', 'Int64', 'Int64'],
    ['Int32', 'Float64', 'Float64'],
    ['Float32', 'Float64', 'Float64'],
    ['Int64', 'Int32', undefined],
    ['Float64', 'Int64', undefined],
    ['String', 'Nullable(String)', 'Nullable(String)'],
    ['Nullable(Int32)', 'Int64', 'Nullable(Int64)'],
    ['Nullable(String)', 'String', undefined],
    ['String', 'Int64', undefined],
    ['LowCardinality(String)', 'LowCardinality(Nullable(String))', 'LowCardinality(Nullable(String))'],
    ['LowCardinality(String)', 'String', undefined],
    ['Array(String)', 'Array(Int32)', undefined],
  ])('%s for values of %s becomes %s', (current, wanted, expected) => {
    expect(widened(current, wanted)).toBe(expected)
  })

  it.each([
    ['text', 'Nullable(String)'],
    [1, 'Nullable(Float64)'],
    [1.5, 'Nullable(Float64)'],
    [1n, 'Nullable(Int64)'],
    [false, 'Nullable(Bool)'],
    [new Date(), "Nullable(DateTime64(3, 'UTC'))"],
    [{ a: 1 }, 'Nullable(String)'],
    [Buffer.from('a'), 'Nullable(String)'],
    [['a', 'b'], 'Array(String)'],
    [[1, null], 'Array(Nullable(Float64))'],
    [[1, 'a'], 'Nullable(String)'],
    [[{ a: 1 }], 'Nullable(String)'],
    [[[1]], 'Nullable(String)'],
    [[], undefined],
    [null, undefined],
    [undefined, undefined],
  ])('are inferred: %o is %s', (value, type) => {
    expect(inferType(value)).toBe(type)
  })
})

describe('column encoders', () => {
  it.each([
    ['UInt8', -1],
    ['UInt8', 256],
    ['Int32', 1.5],
    ['Int32', '1.5'],
    ['Int32', 2 ** 31],
    ['Int32', Number.NaN],
    ['Int64', 2n ** 63n],
    ['Int64', 2 ** 63],
    ['UInt64', -1],
    ['UInt256', -1],
    ['Int128', 'many'],
    ['Float64', 'many'],
    ['Float64', ''],
    ['Float64', {}],
    ['Bool', 'yes'],
    ['Bool', 2],
    ["Enum8('a' = 1)", 'b'],
    ['FixedString(2)', 'abc'],
    ['UUID', 'abc'],
    ['Decimal(10, 2)', 'abc'],
    ['Decimal(10, 2)', Number.NaN],
    ['Decimal(10, 2)', '.'],
    ['Decimal(10, 2)', '1e8'],
    ['Decimal(10, 2)', '1e999999999'],
    ['Decimal(10, 2)', {}],
    ['Date', -1],
    ['Date32', 1.5],
    ['Date32', 'yesterday'],
    ['DateTime', -1],
    ['DateTime64(3)', 1e14],
    ['DateTime64(3)', 1.5],
    ['DateTime64(3)', Number.POSITIVE_INFINITY],
    ['DateTime64(3)', new Date(Number.NaN)],
    ['DateTime64(9)', Date.UTC(2263, 0)],
    ['Array(Int32)', 'abc'],
    ['Array(Int32)', [1, null]],
    ['Array(Int32)', ['a']],
    ['Map(String, Int32)', [1]],
    ['Map(String, Int32)', { a: 'b' }],
    ['Tuple(a Int32)', 7],
    ['Tuple(a Int32)', { a: 'b' }],
  ])('refuse for %s: %o', (type, value) => {
    expect(() => encoder(type).convert(value)).toThrow(UnfitValue)
  })

  it('write whole numbers of 64 bits exactly, whatever they come as', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.boolean(), (value, asText) => {
        const safe = BigInt(Number.MAX_SAFE_INTEGER)
        const given = asText ? String(value) : value >= -safe && value <= safe ? Number(value) : value
        const out = new ByteWriter()
        const { convert, write } = encoder('Int64')
        write([convert(given)], out)
        expect(out.bytes().readBigInt64LE()).toBe(value)
      }),
    )
  })

  it.each([
    ['Decimal(10, 2)', '1.005', 101n],
    ['Decimal(10, 2)', '-1.005', -101n],
    ['Decimal(10, 2)', 0.1 + 0.2, 30n],
    ['Decimal(10, 2)', 1e-7, 0n],
    ['Decimal(10, 2)', '1e3', 100000n],
    ['Decimal(10, 2)', 7n, 700n],
    ['Decimal(10, 2)', '.5', 50n],
    ['Decimal(76, 0)', '9'.repeat(76), 10n ** 76n - 1n],
  ])('round to the scale of %s: %s', (type, value, unscaled) => {
    expect(encoder(type).convert(value)).toBe(unscaled)
  })

  it('write texts with their length in bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 300 })), (texts) => {
        const out = new ByteWriter(1)
        encoder('String').write(texts, out)
        const bytes = out.bytes()
        let p = 0
        for (const text of texts) {
          let length = 0
          for (let shift = 0, byte = 128; byte & 128; shift += 7) length |= ((byte = bytes[p++]!) & 127) << shift
          expect(bytes.toString('utf8', p, p + length)).toBe(text)
          p += length
        }
        expect(p).toBe(bytes.length)
      }),
    )
  })

  it('take the size that they say for what is empty', () => {
    for (const type of ['Int8', 'Int64', 'Float32', 'String', 'UUID', 'Date32', 'DateTime', 'Bool', 'Array(Int8)']) {
      const { empty, emptySize, write } = encoder(type)
      const out = new ByteWriter()
      write([empty, empty], out)
      expect([type, out.position]).toEqual([type, 2 * emptySize])
    }
    const nested = encoder('Tuple(a Nullable(Int32), b Map(String, String), c Tuple(Bool, String))')
    const out = new ByteWriter()
    nested.write([nested.empty, nested.empty, nested.empty], out)
    expect(out.position).toBe(3 * nested.emptySize)
  })
})
