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
  /** From now on rows are put in anew; the old ones stay until they are replaced, or the rebuild ends. */
  beginRebuild(): void
  /** Rows that were not put in since it began are gone. */
  endRebuild(): void
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
      let fresh: Set<unknown> | undefined
      return {
        get size() {
          return rows.size
        },
        find: (of) => rows.get(keys.identity(of)),
        put(of, value, timestamp) {
          if (value === null) return void rows.delete(keys.identity(of))
          const kept = keys.keep(of)
          rows.set(keys.identity(kept), newEntry(kept, 0, value, timestamp))
          fresh?.add(keys.identity(kept))
        },
        beginRebuild() {
          fresh = new Set()
        },
        endRebuild() {
          for (const identity of rows.keys()) if (fresh?.has(identity) === false) rows.delete(identity)
          fresh = undefined
        },
        all: () => rows.values(),
      }
    },
  }
}
