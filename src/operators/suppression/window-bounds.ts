import { ByteWriter } from '../../serde/bytes.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Entry, StateStore } from '../../state/store.ts'
import type { Forward, ProcessorFactory } from '../../topology/processor.ts'
import { type Bounds, bufferFull } from './bounds.ts'

/**
 * Hands final results on, and stops the application when more windows wait for theirs than may. The windows are in the
 * store of the aggregation, perhaps on disk; here is only which, and how large they are.
 */
export function windowBounds<K>(keySerde: Serde<K>, { maxRecords, maxBytes }: Bounds): ProcessorFactory {
  return (context) => {
    const keys = context.codec(keySerde, 'key')
    const keyBytes = new ByteWriter()
    /** By serialised key and start, which no two windows of a store share. */
    const sizes = new Map<string, number>()
    const measured = maxBytes !== Number.POSITIVE_INFINITY
    let bytes = 0
    let size = 0
    const change: Forward<Entry<K, unknown>, StateStore | null> = (entry, store) => {
      keys.encode(entry.key, keyBytes.reset())
      const identity = `${entry.start} ${Buffer.from(keyBytes.bytes()).toString('latin1')}`
      bytes -= sizes.get(identity) ?? 0
      if (store === null) return void sizes.delete(identity)
      if (measured) {
        store.writeEntry(entry, (key, value) => {
          size = key.position + (value === null ? 0 : value.position)
        })
      }
      sizes.set(identity, size)
      bytes += size
      if (sizes.size <= maxRecords && bytes <= maxBytes) return
      const hint = 'raise maxRecords or maxBytes, or make windows or grace shorter, so that fewer are open at once'
      throw bufferFull('untilWindowCloses', context.node, sizes.size, bytes, hint)
    }
    return { inputs: [context.forward(), change] }
  }
}
