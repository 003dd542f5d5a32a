import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter, byteSource } from '../../src/serde/bytes.ts'
import {
  boolean,
  bytes,
  double,
  float,
  integer,
  json,
  long,
  type Serde,
  sessionWindowed,
  short,
  string,
  uuid,
  windowed,
} from '../../src/serde/index.ts'
import { serdeContract } from '../../src/testing/contracts/serde.ts'

const of = (...values: number[]) => Uint8Array.from(values)
const id = '14f0a09a-7830-4a4d-3b6d-1cafbaa2a28b'

serdeContract('string', string(), {
  values: ['', 'a', 'käse', '日本', '🙂', '\0', 'x'.repeat(300), `${'x'.repeat(300)}é`],
  unencodable: [1, null, {}],
})
serdeContract('bytes', bytes(), { values: [of(), of(0), of(1, 2, 255)], unencodable: ['text', [1]] })
serdeContract('boolean', boolean(), { values: [true, false], undecodable: [of(), of(2), of(1, 1)], unencodable: [1] })
serdeContract('short', short(), {
  values: [0, -1, 32767, -32768],
  undecodable: [of(), of(1), of(1, 2, 3)],
  unencodable: [32768, 0.5, '1', NaN],
})
serdeContract('integer', integer(), {
  values: [0, -1, 2147483647, -2147483648],
  undecodable: [of(), of(1, 2, 3)],
  unencodable: [2147483648, 0.5, '1', NaN, 1n],
})
serdeContract('long', long(), {
  values: [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -4294967296],
  undecodable: [of(), of(1, 2, 3), of(127, 255, 255, 255, 255, 255, 255, 255), of(0, 32, 0, 0, 0, 0, 0, 0)],
  unencodable: [2 ** 53, 0.5, '1', 1n],
})
serdeContract('long as bigint', long({ bigint: true }), {
  values: [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)],
  undecodable: [of(1)],
  unencodable: [2n ** 63n, 1],
})
serdeContract('float', float(), { values: [0, -0, 1.5, NaN, -Infinity], undecodable: [of(1)], unencodable: ['1', 1n] })
serdeContract('double', double(), { values: [0, -0, 0.1, NaN, Infinity], undecodable: [of(1)], unencodable: ['1', 1n] })
serdeContract('uuid', uuid(), {
  values: [id],
  undecodable: [of(), of(1), Buffer.from(id.replace('-', '_'))],
  unencodable: ['14f0a09a', 1],
})
const cycle: { self?: unknown } = {}
cycle.self = cycle
serdeContract('json', json<unknown>(), {
  values: ['', 0, null, [], {}, { a: [1, { b: 'käse' }], c: null }],
  undecodable: [of(), of(0x7b), Buffer.from('{"a":}')],
  unencodable: [undefined, 1n, { a: 1n }, cycle, () => 1],
})
serdeContract('windowed', windowed(string(), { size: 60_000 }), {
  values: [
    { key: '', window: { start: 0, end: 60_000 } },
    { key: 'käse', window: { start: 1_700_000_000_000, end: 1_700_000_060_000 } },
  ],
  undecodable: [of(), of(1, 2, 3, 4, 5, 6, 7)],
  unencodable: [{ key: 1, window: { start: 0, end: 1 } }],
})
serdeContract('windowed, unlimited', windowed(integer(), { size: Infinity }), {
  values: [{ key: 7, window: { start: 5, end: Infinity } }],
  undecodable: [of(0, 0, 0, 0, 0, 0, 0, 0)],
})
serdeContract('sessionWindowed', sessionWindowed(string()), {
  values: [{ key: 'a', window: { start: 10, end: 20 } }],
  undecodable: [of(), new Uint8Array(15)],
  unencodable: [{ key: 1, window: { start: 0, end: 1 } }],
})

const context = { topic: 'orders', part: 'value' } as const
function roundTrip<T>(serde: Serde<T>, value: T): T {
  const out = new ByteWriter(1)
  const codec = serde.open(context)
  codec.encode(value, out)
  return codec.decode(byteSource(out.bytes()), 0, out.position)
}

describe('any value', () => {
  test('string', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (s) => roundTrip(string(), s) === s))
  })
  test('long', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (n) => roundTrip(long(), n) === n))
  })
  test('json', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(roundTrip(json(), value)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('errors name the place and the way out', () => {
  const out = new ByteWriter()
  test.each<[string, () => void, string]>([
    [
      'bigint in json',
      () =>
        json()
          .open(context)
          .encode({ a: [{ b: 1n }] }, out),
      'value.a[0].b is a bigint',
    ],
    ['cycle in json', () => json().open(context).encode({ a: cycle }, out), 'value.a.self contains itself'],
    ['undefined', () => json().open(context).encode(undefined, out), 'JSON has no form for undefined'],
    [
      'integer',
      () =>
        integer()
          .open(context)
          .encode(2 ** 40, out),
      'expected a whole number of 32 bits, got number',
    ],
    ['topic', () => integer().open(context).encode(0.5, out), '(topic orders)'],
    [
      'part',
      () =>
        string()
          .open({ topic: 't', part: 'key' })
          .encode(5 as never, out),
      'cannot encode the key',
    ],
  ])('%s', (_, action, text) => expect(action).toThrow(text))

  test('a windowed key cannot be read without the size', () => {
    const codec = windowed(string()).open(context)
    codec.encode({ key: 'a', window: { start: 0, end: 1 } }, out.reset())
    expect(() => codec.decode(byteSource(out.bytes()), 0, out.position)).toThrow('declare the size')
    expect(() => windowed(string(), { size: NaN })).toThrow('size must be a duration')
  })
})

test('windowed keys tell how many bytes do not decide the partition', () => {
  expect(windowed(string()).keySuffix).toBe(8)
  expect(sessionWindowed(string()).keySuffix).toBe(16)
})
