import type { SlidingStore } from '../sliding-store.ts'
import type { Entry } from '../store.ts'
import { compareWindows, startOf } from '../window-key.ts'
import { type Pageable, paged } from './paged.ts'
import { type PagedClosings, pagedClosings } from './paged-closings.ts'
import type { PagedStoreOptions } from './paged-options.ts'

/** A sliding store whose windows are on disk but for those of the keys in use. */
export function pagedSlidingStore<K, A>({
  disk,
  keys,
  values,
  make,
}: PagedStoreOptions<K, SlidingStore<K, A> & Pageable<K>>): SlidingStore<K, A> {
  const table = disk.timelines()
  const store = paged({ table, keys, values, make, cacheBytes: disk.cacheBytes, rest: 4 })
  const { memory, need } = store
  let closings: PagedClosings<Entry<K, A>> | undefined
  return {
    ...memory,
    get size() {
      return store.size
    },
    windows(key) {
      need(key)
      return memory.windows(key)
    },
    find(start, key) {
      need(key)
      return memory.find(start, key)
    },
    create(start, key, value, timestamp) {
      need(key)
      return memory.create(start, key, value, timestamp)
    },
    between(after, upTo) {
      store.needBetween(after + 1, upTo)
      return memory.between(after, upTo)
    },
    closings: () =>
      (closings = pagedClosings(store, table, memory.windows, startOf, (a: Entry<K, A>, b: Entry<K, A>) =>
        compareWindows(keys, a, b),
      )),
    expire(start) {
      memory.expire(start)
      store.expire(start)
    },
    all: () => store.entries((of) => of.all()),
    flush(write) {
      store.flush(write)
      closings?.flushed()
    },
    restore: store.restore,
    isCrowded: store.isCrowded,
    close: table.close,
  }
}
