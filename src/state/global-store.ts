import type { Serde } from '../serde/serde.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import { newEntry } from './changes.ts'
import { keysOf } from './keys.ts'
import type { Entry } from './store.ts'

/** The rows of a global table. Its truth is the topic: there is no changelog, and nothing is written. */
export interface GlobalStore<K, V> {
  find(key: K): Entry<K, V> | undefined
  /** Null deletes. */
  put(key: K, value: V | null, timestamp: number): void
  all(): Iterable<Entry<K, V>>
  readonly size: number
}

export function globalStore<K, V>(name: string, key: Serde<K>): StoreSpec<GlobalStore<K, V>> {
  return {
    name,
    kind: 'global',
    parameters: { key: key.format },
    changelog: false,
    create(environment) {
      const keys = keysOf(environment.open(key, 'key'))
      const rows = new Map<unknown, Entry<K, V>>()
      return {
        get size() {
          return rows.size
        },
        find: (of) => rows.get(keys.identity(of)),
        put(of, value, timestamp) {
          if (value === null) return void rows.delete(keys.identity(of))
          const kept = keys.keep(of)
          rows.set(keys.identity(kept), newEntry(kept, 0, value, timestamp))
        },
        all: () => rows.values(),
      }
    },
  }
}
