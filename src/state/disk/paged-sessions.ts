import { compareSessions, endOf } from '../session-order.ts'
import type { Session, SessionStore } from '../session-store.ts'
import { type Pageable, paged } from './paged.ts'
import { type PagedClosings, pagedClosings } from './paged-closings.ts'
import type { PagedStoreOptions } from './paged-options.ts'

/** A session store whose sessions are on disk but for those of the keys in use. */
export function pagedSessionStore<K, A>({
  disk,
  keys,
  values,
  make,
}: PagedStoreOptions<K, SessionStore<K, A> & Pageable<K>>): SessionStore<K, A> {
  const table = disk.timelines()
  const store = paged({ table, keys, values, make, cacheBytes: disk.cacheBytes, rest: 8 })
  const { memory, need } = store
  let closings: PagedClosings<Session<K, A>> | undefined
  return {
    ...memory,
    get size() {
      return store.size
    },
    sessions(key) {
      need(key)
      return memory.sessions(key)
    },
    create(key, start, end, value) {
      need(key)
      return memory.create(key, start, end, value)
    },
    closings: () =>
      (closings = pagedClosings(store, table, memory.sessions, endOf, (a: Session<K, A>, b: Session<K, A>) =>
        compareSessions(keys, a, b),
      )),
    expire(end) {
      memory.expire(end)
      store.expire(end)
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
