import type { Serde } from '../serde/serde.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import { pagedJoinStore } from './disk/paged-join.ts'
import { joinRows } from './join-rows.ts'
import { KeyNumbers } from './key-numbers.ts'
import { keysOf } from './keys.ts'
import { type StateStore, serdeValue } from './store.ts'

/** The records of one side of a join, by key and time, duplicates kept. A value comes out as its serde reads it. */
export interface JoinStore<K, V> extends StateStore {
  put(key: K, timestamp: number, value: V): void
  /**
   * Visits the records of a key with from <= timestamp <= to, in the order (timestamp, arrival), and says whether there
   * were any.
   */
  fetch(key: K, from: number, to: number, visit: (timestamp: number, value: V) => void): boolean
  /** Forgets records older than `before`, in the changelog too; some may stay up to a segment longer. */
  expire(before: number): void
}

export interface JoinStoreOptions<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** About how long records are kept, ms. */
  readonly retention: number
  readonly parameters?: Readonly<Record<string, unknown>>
  /** The same for stores that are asked for the same key one after the other. */
  readonly together?: object
}

/** Memory holds at most one segment more than is needed. */
const SEGMENTS = 4

export function joinStore<K, V>(options: JoinStoreOptions<K, V>): StoreSpec<JoinStore<K, V>> {
  return {
    name: options.name,
    kind: 'join',
    parameters: { retention: options.retention, ...options.parameters },
    changelog: true,
    create(environment) {
      const { disk } = environment
      const keys = keysOf(environment.open(options.key, 'key'))
      const values = serdeValue(options.value)(environment)
      const span = Math.max(1, Math.ceil(options.retention / SEGMENTS))
      const numbers = () => new KeyNumbers(keys)
      if (disk) {
        return pagedJoinStore({ disk, keys, values, make: () => joinRows(keys, values, span, numbers()) }, span)
      }
      const { together } = options
      const own = together && environment.share ? environment.share(together, numbers) : numbers()
      return joinRows(keys, values, span, own)
    },
  }
}
