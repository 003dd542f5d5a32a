import { shown, unencodable } from './faults.ts'
import type { Serde } from './serde.ts'

/** Bytes as they are. What is decoded is a copy of its own, safe to keep. */
export function bytes(): Serde<Uint8Array> {
  return {
    format: 'bytes',
    anyTopic: true,
    open: (context) => ({
      encode(value, out) {
        if (!(value instanceof Uint8Array)) throw unencodable(context, `expected a Uint8Array, got ${shown(value)}`)
        out.raw(value)
      },
      decode: ({ buffer }, start, end) => new Uint8Array(buffer.subarray(start, end)),
    }),
  }
}
