import {
  type Codec,
  double,
  float,
  integer,
  long,
  type Serde,
  sessionWindowed,
  short,
  string,
  uuid,
  type Window,
  windowed,
} from 'millrace'
import { ByteWriter, partitionFor } from 'millrace/testing'
// What lies in changelogs is no public interface, but Kafka Streams reads it.
import { byteSource } from '../../../src/serde/bytes.ts'
import { sessionStoreKey, valueAndTimestamp, windowStoreKey } from '../../../src/serde/store-keys.ts'

/** One case of codec.json: a value, and how Kafka serialises it. 64-bit numbers are strings. */
export interface CodecCase {
  readonly codec: string
  readonly hex: string
  readonly key?: string
  readonly keyHex?: string
  readonly value?: string | number
  readonly window?: { readonly start: string; readonly end: string }
  readonly size?: string
  readonly timestamp?: string
  readonly sequence?: number
  readonly partitions?: Readonly<Record<string, number>>
  readonly partitionOf12?: number
}

const CONTEXT = { topic: 'codec', part: 'key' } as const

/** What is wrong, or undefined. */
export function checkCodec(of: CodecCase): string | undefined {
  const key = of.key ?? ''
  const window: Window = { start: Number(of.window?.start), end: Number(of.window?.end) }
  const text = string().open(CONTEXT)
  const kafka = Buffer.from(of.hex ?? '', 'hex')
  switch (of.codec) {
    case 'murmur2':
      return checkPartitions(Buffer.from(of.keyHex!, 'hex'), of.partitions!)
    case 'time-windowed-key':
      return checkWindowed(windowed(string(), { size: Number(of.size) }), key, window, of)
    case 'session-windowed-key':
      return checkWindowed(sessionWindowed(string()), key, window, of)
    case 'window-store-key': {
      const layout = windowStoreKey(text)
      const start = Number(of.timestamp)
      const bytes = written((out) => layout.encode(key, start, of.sequence!, out))
      const source = byteSource(kafka)
      const end = kafka.length
      const read = [layout.key(source, 0, end), layout.windowStart(source, end), layout.sequence(source, end)]
      return same(bytes, of) ?? equal(read, [key, start, of.sequence])
    }
    case 'session-store-key': {
      const layout = sessionStoreKey(text)
      const bytes = written((out) => layout.encode(key, window.start, window.end, out))
      const source = byteSource(kafka)
      const end = kafka.length
      const read = [layout.key(source, 0, end), layout.windowStart(source, end), layout.windowEnd(source, end)]
      return same(bytes, of) ?? equal(read, [key, window.start, window.end])
    }
    case 'value-and-timestamp': {
      const layout = valueAndTimestamp(text)
      const bytes = written((out) => layout.encode(String(of.value), Number(of.timestamp), out))
      const source = byteSource(kafka)
      const read = [layout.value(source, 0, kafka.length), layout.timestamp(source, 0)]
      return same(bytes, of) ?? equal(read, [of.value, Number(of.timestamp)])
    }
    case 'long':
      return check(long({ bigint: true }), BigInt(of.value!), of)
    case 'integer':
      return check(integer(), Number(of.value), of)
    case 'short':
      return check(short(), Number(of.value), of)
    case 'float':
      return check(float(), Math.fround(Number(of.value)), of)
    case 'double':
      return check(double(), Number(of.value), of)
    case 'uuid':
      return check(uuid(), String(of.value), of)
    default:
      return 'skipped'
  }
}

function checkWindowed(
  serde: Serde<{ readonly key: string; readonly window: Window }>,
  key: string,
  window: Window,
  of: CodecCase,
): string | undefined {
  const inner = Buffer.from(of.hex, 'hex').subarray(0, -serde.keySuffix!)
  return check(serde, { key, window }, of) ?? checkPartitions(inner, { 12: of.partitionOf12! })
}

function checkPartitions(key: Uint8Array, partitions: Readonly<Record<string, number>>): string | undefined {
  const actual = Object.keys(partitions).map((count) => partitionFor(key, Number(count)))
  return equal(actual, Object.values(partitions))
}

function check<T>(serde: Serde<T>, value: T, of: CodecCase): string | undefined {
  const codec: Codec<T> = serde.open(CONTEXT)
  const kafka = Buffer.from(of.hex, 'hex')
  const bytes = written((out) => codec.encode(value, out))
  return same(bytes, of) ?? equal(codec.decode(byteSource(kafka), 0, kafka.length), value)
}

function written(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter()
  write(out)
  return Buffer.from(out.bytes())
}

/** Times are numbers: beyond 2^53 ms (in 285,000 years) they are read to the nearest one, and cannot be written. */
function same(bytes: Buffer, { hex, timestamp, window }: CodecCase): string | undefined {
  const times = [timestamp ?? 0, window?.start ?? 0, window?.end ?? 0]
  return times.every((time) => Number.isSafeInteger(Number(time))) ? equal(bytes.toString('hex'), hex) : undefined
}

function equal(actual: unknown, expected: unknown): string | undefined {
  const [a, b] = [actual, expected].map(show)
  return a === b ? undefined : `expected ${b}, got ${a}`
}

const show = (value: unknown) =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : Object.is(part, -0) ? '-0' : part))
