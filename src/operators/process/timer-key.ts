import type { Serde } from '../../serde/serde.ts'

/** What tells one timer from another: a key has one timer of each name. */
export interface TimerId<K> {
  readonly key: K
  readonly name: string
}

/** Timers in the changelog: the length of the name as int16, the name, the key. */
export function timerKey<K>(inner: Serde<K>): Serde<TimerId<K>> {
  return {
    format: `timer(${inner.format})`,
    open(context) {
      const codec = inner.open(context)
      return {
        ...(codec.prepare && { prepare: () => codec.prepare?.() }),
        encode({ key, name }, out) {
          const at = out.position
          out.int16(0)
          out.string(name)
          out.view.setInt16(at, out.position - at - 2)
          codec.encode(key, out)
        },
        decode(source, start, end) {
          const middle = start + 2 + source.view.getInt16(start)
          return {
            name: source.buffer.utf8Slice(start + 2, middle),
            key: codec.decode(source, middle, end),
          }
        },
      }
    },
  }
}
