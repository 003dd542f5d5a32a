import { type ByteSource, type ByteWriter, readInt64 } from './bytes.ts'
import type { Codec } from './serde.ts'

/*
 * How stores and their changelogs lay out what they hold, byte for byte as Kafka Streams does (4.3.1:
 * WindowKeySchema, SessionKeySchema, ValueAndTimestampSerializer). Parts are read one by one, so that nothing is
 * allocated for those that are not asked for.
 */

export interface WindowStoreKey<K> {
  encode(key: K, start: number, sequence: number, out: ByteWriter): void
  key(source: ByteSource, start: number, end: number): K
  windowStart(source: ByteSource, end: number): number
  /** Tells apart records of one key and time in a store that keeps duplicates (joins); 0 elsewhere. */
  sequence(source: ByteSource, end: number): number
}

/** Entries of a window store: the key, the window's start as int64, a sequence number as int32. */
export function windowStoreKey<K>(codec: Codec<K>): WindowStoreKey<K> {
  return {
    encode(key, start, sequence, out) {
      codec.encode(key, out)
      out.int64(start)
      out.int32(sequence)
    },
    key: (source, start, end) => codec.decode(source, start, end - 12),
    windowStart: ({ view }, end) => readInt64(view, end - 12),
    sequence: ({ view }, end) => view.getInt32(end - 4),
  }
}

export interface SessionStoreKey<K> {
  encode(key: K, start: number, end: number, out: ByteWriter): void
  key(source: ByteSource, start: number, end: number): K
  windowStart(source: ByteSource, end: number): number
  windowEnd(source: ByteSource, end: number): number
}

/** Entries of a session store: the key, the session's end, its start, both int64. */
export function sessionStoreKey<K>(codec: Codec<K>): SessionStoreKey<K> {
  return {
    encode(key, start, end, out) {
      codec.encode(key, out)
      out.int64(end)
      out.int64(start)
    },
    key: (source, start, end) => codec.decode(source, start, end - 16),
    windowStart: ({ view }, end) => readInt64(view, end - 8),
    windowEnd: ({ view }, end) => readInt64(view, end - 16),
  }
}

export interface ValueAndTimestamp<V> {
  encode(value: V, timestamp: number, out: ByteWriter): void
  value(source: ByteSource, start: number, end: number): V
  timestamp(source: ByteSource, start: number): number
}

/** A value in a store, after the timestamp (int64) of the record that it comes from. */
export function valueAndTimestamp<V>(codec: Codec<V>): ValueAndTimestamp<V> {
  return {
    encode(value, timestamp, out) {
      out.int64(timestamp)
      codec.encode(value, out)
    },
    value: (source, start, end) => codec.decode(source, start + 8, end),
    timestamp: ({ view }, start) => readInt64(view, start),
  }
}
