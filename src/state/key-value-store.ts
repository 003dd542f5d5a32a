import type { Serde } from '../serde/serde.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import { changes, newEntry, restoreEntry } from './changes.ts'
import { diskKeyValueStore } from './disk/disk-stores.ts'
import { type Keys, keysOf } from './keys.ts'
import { orderedEntries } from './ordered-entries.ts'
import type { Entry, StateStore, StoreValue, ValueCodec } from './store.ts'

/** The latest value per key. */
export interface KeyValueStore<K, A> extends StateStore {
  find(key: K): Entry<K, A> | undefined
  /** A new entry; there must be none. */
  create(key: K, value: A, timestamp: number): Entry<K, A>
  touch(entry: Entry<K, A>): void
  /** Deletes an entry; it is still among `changed` until the next flush, with value null. */
  remove(entry: Entry<K, A>): void
  changed(): readonly Entry<K, A>[]
  /** All entries, ordered by serialised key. */
  entries(): Entry<K, A>[]
  /** Text that sorts as the serialised keys do. */
  order(key: K): string
  /** Those from `from` to `to`, both included, in the same order; undefined: no bound. */
  range(from: K | undefined, to: K | undefined): Entry<K, A>[]
}

export interface KeyValueStoreOptions<K, A> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: StoreValue<A>
  readonly parameters?: Readonly<Record<string, unknown>>
  /** Default true. */
  readonly changelog?: boolean
}

export function keyValueStore<K, A>(options: KeyValueStoreOptions<K, A>): StoreSpec<KeyValueStore<K, A>> {
  return {
    name: options.name,
    kind: 'key-value',
    parameters: { key: options.key.format, ...options.parameters },
    changelog: options.changelog ?? true,
    create(environment) {
      const { disk } = environment
      const keys = keysOf(environment.open(options.key, 'key'))
      const values = options.value(environment)
      return disk
        ? diskKeyValueStore({ table: disk.table(), keys, values, cacheBytes: disk.cacheBytes })
        : memoryKeyValueStore(keys, values)
    },
  }
}

function memoryKeyValueStore<K, A>(keys: Keys<K>, values: ValueCodec<A>): KeyValueStore<K, A> {
  const entries = new Map<unknown, Entry<K, A>>()
  const { touch, list, flush, writeEntry } = changes<K, A>((entry, out) => keys.encode(entry.key, out), values)
  const create = (key: K, value: A, timestamp: number): Entry<K, A> => {
    const entry = newEntry(keys.keep(key), 0, value, timestamp)
    entries.set(keys.identity(entry.key), entry)
    ordered.added(entry)
    return entry
  }
  const ordered = orderedEntries(keys, () => entries.values())
  return {
    get size() {
      return entries.size
    },
    find: (key) => entries.get(keys.identity(key)),
    create,
    touch,
    remove(entry) {
      entry.value = null
      entries.delete(keys.identity(entry.key))
      ordered.removed()
      touch(entry)
    },
    changed: list,
    all: () => entries.values(),
    entries: () => ordered.range(undefined, undefined),
    range: ordered.range,
    order: keys.text,
    flush,
    writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      const key = keys.read(source, keyStart, keyEnd)
      const found = entries.get(keys.identity(key))
      if (valueStart < 0) {
        if (!found) return
        found.value = null
        entries.delete(keys.identity(key))
        ordered.removed()
        return
      }
      const value = values.decode(source, valueStart, valueEnd)
      restoreEntry(found ?? create(key, value, timestamp), value, timestamp)
    },
  }
}
