import { ByteWriter, byteSource } from '../serde/bytes.ts'
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
    keep: (key) => (typeof key === 'string' ? (flat(key) as K) : key),
    encode: (key, out) => codec.encode(key, out),
    decode: (bytes) => codec.decode(byteSource(bytes), 0, bytes.length),
    text,
    compare: (a, b) => {
      const x = text(a)
      const y = text(b)
      return x < y ? -1 : x > y ? 1 : 0
    },
  }
}

/**
 * A copy of a string that does not hold on to the text of the batch it was cut from: V8 keeps a substring of 13 or
 * more characters as a view of the whole (v8/src/objects/string.h, SlicedString::kMinLength).
 */
function flat(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'utf16le').toString('utf16le')
}
