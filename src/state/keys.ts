import { keep } from '../aggregates/keep.ts'
import { type ByteSource, ByteWriter, byteSource } from '../serde/bytes.ts'
import type { Codec } from '../serde/serde.ts'

/**
 * Keys as stores hold them. A primitive is its own identity in a Map; any other key is known by its serialised bytes,
 * as it is on Kafka.
 */
export interface Keys<K> {
  identity(key: K): unknown
  /** The key in a form that may be kept for long. */
  keep(key: K): K
  encode(key: K, out: ByteWriter): void
  decode(bytes: Uint8Array): K
  /** The key in bytes [start, end) of a source, where many are read from one. */
  read(source: ByteSource, start: number, end: number): K
  /** The serialised bytes, one character each: text that sorts as they do. */
  text(key: K): string
  /** Orders keys by their serialised bytes, as Kafka Streams' stores do. */
  compare(a: K, b: K): number
}

export function keysOf<K>(codec: Codec<K>): Keys<K> {
  const scratch = new ByteWriter(64)
  const text = (key: K): string => {
    codec.encode(key, scratch.reset())
    return scratch.buffer.latin1Slice(0, scratch.position)
  }
  return {
    identity: (key) => (typeof key === 'object' ? text(key) : key),
    keep,
    encode: (key, out) => codec.encode(key, out),
    decode: (bytes) => codec.decode(byteSource(bytes), 0, bytes.length),
    read: (source, start, end) => codec.decode(source, start, end),
    text,
    compare: (a, b) => {
      const x = text(a)
      const y = text(b)
      return x < y ? -1 : x > y ? 1 : 0
    },
  }
}
