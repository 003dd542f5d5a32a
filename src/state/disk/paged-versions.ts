import type { TimelinePlace } from '../../topology/disk-table.ts'
import type { StoreTime, VersionedStore } from '../versioned-store.ts'
import { windowStart } from '../window-key.ts'
import { type Pageable, paged } from './paged.ts'
import type { PagedStoreOptions } from './paged-options.ts'

/** So many versions that the history has passed are looked at in one commit. */
const PASSED_AT_ONCE = 2_000

/** A versioned store whose versions are on disk but for those of the keys in use. */
export function pagedVersionedStore<K, V>(
  { disk, keys, values, make }: PagedStoreOptions<K, VersionedStore<K, V> & Pageable<K>>,
  time: StoreTime,
  { retention, span }: { readonly retention: number; readonly span: number },
): VersionedStore<K, V> {
  const table = disk.timelines()
  const store = paged({ table, keys, values, make, cacheBytes: disk.cacheBytes, rest: 4 })
  const { memory, need } = store
  /** Up to here it has been seen what a newer version supersedes. */
  let passed: TimelinePlace | undefined
  return {
    ...memory,
    get size() {
      return store.size
    },
    put(key, value, timestamp) {
      need(key)
      return memory.put(key, value, timestamp)
    },
    latest(key) {
      need(key)
      return memory.latest(key)
    },
    asOf(key, timestamp) {
      need(key)
      return memory.asOf(key, timestamp)
    },
    expire() {
      const end = Math.floor((time.newest - retention) / span) * span
      const places = table.between(Number.NEGATIVE_INFINITY, end - 1, passed, PASSED_AT_ONCE)
      for (const place of places) need(keys.decode(place.key))
      passed = places.at(-1) ?? passed
      memory.expire()
    },
    all: () => store.entries((of) => of.all()),
    history: () => store.entries((of) => of.history!()),
    flush: store.flush,
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      store.restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp)
      const start = windowStart(source, keyEnd)
      if (valueStart >= 0 && start > time.newest) time.newest = start
    },
    isCrowded: store.isCrowded,
    close: table.close,
  }
}
