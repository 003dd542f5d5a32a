import type { JoinStore } from '../join-store.ts'
import { type Pageable, paged } from './paged.ts'
import type { PagedStoreOptions } from './paged-options.ts'

/**
 * A join store whose records are on disk but for those of the keys and times in use.
 *
 * @param span what of a key is loaded together, ms
 */
export function pagedJoinStore<K, V>(
  { disk, keys, values, make }: PagedStoreOptions<K, JoinStore<K, V> & Pageable<K>>,
  span: number,
): JoinStore<K, V> {
  const table = disk.timelines()
  const store = paged({ table, keys, values, make, cacheBytes: disk.cacheBytes, rest: 4, span })
  const { memory, need } = store
  return {
    ...memory,
    get size() {
      return store.size
    },
    put(key, timestamp, value) {
      need(key, timestamp)
      memory.put(key, timestamp, value)
    },
    fetch(key, from, to, visit) {
      need(key, from, to)
      return memory.fetch(key, from, to, visit)
    },
    expire(before) {
      memory.expire(before)
      store.expire(before)
    },
    all: () => store.entries((of) => of.all()),
    flush: store.flush,
    restore: store.restore,
    isCrowded: store.isCrowded,
    close: table.close,
  }
}
