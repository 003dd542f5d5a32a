import type { ByteSource, ByteWriter } from '../serde/bytes.ts'
import type { Keys } from './keys.ts'
import type { Entry } from './store.ts'

/**
 * Keys of window stores and their changelogs are Kafka Streams' own (org.apache.kafka.streams.state.internals
 * .WindowKeySchema): key ‖ start int64 BE ‖ sequence int32 BE, where the sequence is 0.
 */
export const SUFFIX = 12

export function encodeWindowKey<K>(keys: Keys<K>, entry: Entry<K, unknown>, out: ByteWriter): void {
  keys.encode(entry.key, out)
  encodeWindowEnd(entry.start, out)
}

/** What comes after the key. */
export function encodeWindowEnd(start: number, out: ByteWriter): void {
  out.int64(start)
  out.int32(0)
}

export function windowStart(source: ByteSource, keyEnd: number): number {
  const high = source.buffer.readInt32BE(keyEnd - SUFFIX)
  return high * 4294967296 + source.buffer.readUInt32BE(keyEnd - SUFFIX + 4)
}

export function innerKey<K>(keys: Keys<K>, source: ByteSource, keyStart: number, keyEnd: number): K {
  return keys.read(source, keyStart, keyEnd - SUFFIX)
}

export const startOf = ({ start }: Entry<unknown, unknown>): number => start

/** Orders windows by start and serialised key, as final results come out. */
export const compareWindows = <K>(keys: Keys<K>, a: Entry<K, unknown>, b: Entry<K, unknown>): number =>
  a.start - b.start || keys.compare(a.key, b.key)
