import type { ByteWriter } from './bytes.ts'
import type { Codec, Serde } from './serde.ts'

/** An update of a table as it crosses a repartition topic; null where there is no such row. */
export interface Change<out V> {
  readonly old: V | null
  readonly now: V | null
}

const OLD = 1
const NOW = 2

/**
 * Both values of an update in one record, so that what is taken out of an aggregate and what is put in come together
 * (Kafka Streams: ChangedSerializer since KIP-904). A byte of flags ‖ the length of the old value, int32, where both are there
 * ‖ old ‖ new.
 */
export function changed<V>(values: Serde<V>): Serde<Change<V>> {
  return {
    format: `change(${values.format})`,
    open(context) {
      const codec = values.open(context)
      return { encode: encoder(codec), decode: decoder(codec), prepare: () => codec.prepare?.() }
    },
  }
}

function encoder<V>(codec: Codec<V>): Codec<Change<V>>['encode'] {
  return ({ old, now }, out: ByteWriter) => {
    out.uint8((old === null ? 0 : OLD) | (now === null ? 0 : NOW))
    if (old !== null && now !== null) {
      const at = out.position
      out.int32(0)
      codec.encode(old, out)
      out.view.setInt32(at, out.position - at - 4)
    } else if (old !== null) codec.encode(old, out)
    if (now !== null) codec.encode(now, out)
  }
}

function decoder<V>(codec: Codec<V>): Codec<Change<V>>['decode'] {
  return (source, start, end) => {
    const flags = source.buffer[start]
    const from = start + 1
    if (flags !== (OLD | NOW)) {
      const value = codec.decode(source, from, end)
      return flags === OLD ? { old: value, now: null } : { old: null, now: value }
    }
    const split = from + 4 + source.buffer.readInt32BE(from)
    return { old: codec.decode(source, from + 4, split), now: codec.decode(source, split, end) }
  }
}
