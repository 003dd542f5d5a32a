import { expect, test } from 'vitest'
import { ByteWriter, byteSource } from '../../src/serde/bytes.ts'
import { double, float, integer, long, sessionWindowed, short, string, uuid, windowed } from '../../src/serde/index.ts'
import type { Serde } from '../../src/serde/serde.ts'
import { sessionStoreKey, valueAndTimestamp, windowStoreKey } from '../../src/serde/store-keys.ts'
import {
  doubles,
  floats,
  integers,
  longs,
  sessionKeys,
  sessionStoreKeys,
  shorts,
  uuids,
  valuesAndTimestamps,
  windowedKeys,
  windowStoreKeys,
} from './kafka-bytes.ts'

const context = { topic: 'kafka', part: 'value' } as const
const hexOf = (write: (out: ByteWriter) => void) => {
  const out = new ByteWriter()
  write(out)
  return out.bytes().toString('hex')
}
const encode = <T>(serde: Serde<T>, value: T) => hexOf((out) => serde.open(context).encode(value, out))
const decode = <T>(serde: Serde<T>, hex: string): T =>
  serde.open(context).decode(byteSource(Buffer.from(hex, 'hex')), 0, hex.length / 2)

const cases: [string, Serde<unknown>, readonly (readonly [unknown, string])[]][] = [
  ['long as bigint', long({ bigint: true }) as Serde<unknown>, longs],
  ['integer', integer() as Serde<unknown>, integers],
  ['short', short() as Serde<unknown>, shorts],
  ['double', double() as Serde<unknown>, doubles],
  ['uuid', uuid() as Serde<unknown>, uuids],
]
test.each(cases)('%s is byte for byte that of Kafka', (_, serde, cases) => {
  expect(cases.map(([value]) => encode(serde, value))).toEqual(cases.map(([, hex]) => hex))
  expect(cases.map(([, hex]) => decode(serde, hex))).toEqual(cases.map(([value]) => value))
})

test('float is byte for byte that of Kafka', () => {
  expect(floats.map(([value]) => encode(float(), value))).toEqual(floats.map(([, hex]) => hex))
  expect(floats.map(([, hex]) => decode(float(), hex))).toEqual(floats.map(([value]) => Math.fround(value)))
})

test('long as number is byte for byte that of Kafka, and refuses what a number cannot hold', () => {
  for (const [value, hex] of longs) {
    if (Number.isSafeInteger(Number(value))) {
      expect(encode(long(), Number(value))).toBe(hex)
      expect(decode(long(), hex)).toBe(Number(value))
    } else {
      expect(() => encode(long(), Number(value))).toThrow('use long({ bigint: true })')
      expect(() => decode(long(), hex)).toThrow('use long({ bigint: true })')
    }
  }
})

test('windowed keys of a topic', () => {
  for (const { key, start, end, hex } of windowedKeys) {
    const serde = windowed(string(), { size: end - start })
    expect(encode(serde, { key, window: { start, end } })).toBe(hex)
    expect(decode(serde, hex)).toEqual({ key, window: { start, end } })
  }
})

test('session keys of a topic', () => {
  for (const { key, start, end, hex } of sessionKeys) {
    const serde = sessionWindowed(string())
    expect(encode(serde, { key, window: { start, end } })).toBe(hex)
    expect(decode(serde, hex)).toEqual({ key, window: { start, end } })
  }
})

test('keys and values of stores', () => {
  const text = string().open(context)
  for (const { key, start, sequence, hex } of windowStoreKeys) {
    const format = windowStoreKey(text)
    expect(hexOf((out) => format.encode(key, start, sequence, out))).toBe(hex)
    const source = byteSource(Buffer.from(hex, 'hex'))
    const length = hex.length / 2
    expect(format.key(source, 0, length)).toBe(key)
    expect(format.windowStart(source, length)).toBe(start)
    expect(format.sequence(source, length)).toBe(sequence)
  }
  for (const { key, start, end, hex } of sessionStoreKeys) {
    const format = sessionStoreKey(text)
    expect(hexOf((out) => format.encode(key, start, end, out))).toBe(hex)
    const source = byteSource(Buffer.from(hex, 'hex'))
    const length = hex.length / 2
    expect(format.key(source, 0, length)).toBe(key)
    expect(format.windowStart(source, length)).toBe(start)
    expect(format.windowEnd(source, length)).toBe(end)
  }
  for (const { value, timestamp, hex } of valuesAndTimestamps) {
    const format = valueAndTimestamp(text)
    expect(hexOf((out) => format.encode(value, timestamp, out))).toBe(hex)
    const source = byteSource(Buffer.from(hex, 'hex'))
    expect(format.value(source, 0, hex.length / 2)).toBe(value)
    expect(format.timestamp(source, 0)).toBe(timestamp)
  }
})
