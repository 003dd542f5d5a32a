import type { TimeBuffer } from '../time-buffer.ts'
import { paged } from './paged.ts'
import type { PagedStoreOptions } from './paged-options.ts'

const NOTHING: readonly never[] = []

/** A buffer whose records are on disk until their time is near, but for those that came last. */
export function pagedTimeBuffer<K, V>({
  disk,
  keys,
  values,
  make,
}: PagedStoreOptions<K, TimeBuffer<K, V>>): TimeBuffer<K, V> {
  const table = disk.timelines()
  const store = paged({ table, keys, values, make, cacheBytes: disk.cacheBytes, rest: 4, span: 1 })
  const { need } = store
  /** Rows before this are in memory, or taken. */
  let loadedUpTo = Number.NEGATIVE_INFINITY
  let oldestRow: number | undefined
  const oldest = () => Math.min(store.memory.oldest, (oldestRow ??= table.nextTime(loadedUpTo - 1)))
  const changed = () => {
    loadedUpTo = Number.NEGATIVE_INFINITY
    oldestRow = undefined
  }
  return {
    get size() {
      return store.size
    },
    get oldest() {
      return oldest()
    },
    add(key, timestamp, value) {
      need(key, timestamp)
      store.memory.add(key, timestamp, value)
    },
    remove(key, timestamp) {
      need(key, timestamp)
      store.memory.remove(key, timestamp)
    },
    take(before) {
      if (oldest() >= before) return NOTHING
      if (oldestRow! < before) {
        store.needBetween(loadedUpTo, before - 1)
        loadedUpTo = before
        oldestRow = undefined
      }
      return store.memory.take(before)
    },
    all: () => store.entries((of) => of.all()),
    flush(write) {
      store.flush(write)
      changed()
    },
    writeEntry: (entry, write) => store.memory.writeEntry(entry, write),
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      store.restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp)
      changed()
    },
    isCrowded: store.isCrowded,
    close: table.close,
  }
}
