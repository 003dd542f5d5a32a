import type { Entry, StateStore } from '../../state/store.ts'
import type { Forward, ProcessorFactory } from '../../topology/processor.ts'
import { type Bounds, bufferFull } from './bounds.ts'

/**
 * Hands final results on, and stops the application when more windows wait for theirs than may. The windows are in the
 * store of the aggregation; here is only which, and how large they are.
 */
export function windowBounds({ maxRecords, maxBytes }: Bounds): ProcessorFactory {
  return (context) => {
    const sizes = new Map<Entry<unknown, unknown>, number>()
    const measured = maxBytes !== Number.POSITIVE_INFINITY
    let bytes = 0
    let size = 0
    const change: Forward<Entry<unknown, unknown>, StateStore | null> = (entry, store) => {
      bytes -= sizes.get(entry) ?? 0
      if (store === null) return void sizes.delete(entry)
      if (measured) {
        store.writeEntry(entry, (key, value) => {
          size = key.position + (value === null ? 0 : value.position)
        })
      }
      sizes.set(entry, size)
      bytes += size
      if (sizes.size <= maxRecords && bytes <= maxBytes) return
      const hint = 'raise maxRecords or maxBytes, or make windows or grace shorter, so that fewer are open at once'
      throw bufferFull('untilWindowCloses', context.node, sizes.size, bytes, hint)
    }
    return { inputs: [context.forward(), change] }
  }
}
