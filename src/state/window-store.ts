import type { AggregateRow } from '../aggregates/row.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import { changes, newEntry, restoreEntry } from './changes.ts'
import { diskWindowStore } from './disk/disk-stores.ts'
import { type Keys, keysOf } from './keys.ts'
import { rowWindowStore } from './row-window-store.ts'
import type { Entry, StateStore, StoreValue, ValueCodec } from './store.ts'
import { encodeWindowKey, innerKey, windowStart } from './window-key.ts'
import type { WindowRows } from './window-rows.ts'

/**
 * Aggregates of aligned windows: one Map per window, so that finding an entry is one lookup with the key as it is
 * (0.95 CPU s per million records against 1.42 with a Map per key) and an expired window is dropped as a whole.
 */
export interface WindowStore<K, A> extends StateStore {
  /** Where accumulators are rows of doubles: the way around entries, which are made when they are asked for. */
  readonly rows?: WindowRows<K, A>
  find(start: number, key: K): Entry<K, A> | undefined
  /** A new entry; there must be none. */
  create(start: number, key: K, value: A, timestamp: number): Entry<K, A>
  /** Marks an entry as changed. */
  touch(entry: Entry<K, A>): void
  /** Deletes an entry; it is still among `changed` until the next flush, with value null. */
  remove(entry: Entry<K, A>): void
  /** Entries changed since the last flush, in the order of their first change. */
  changed(): readonly Entry<K, A>[]
  /** Starts of the windows that hold something, ascending. */
  starts(): readonly number[]
  /** Entries of one window, ordered by serialised key. */
  entries(start: number): Iterable<Entry<K, A>>
  /** Forgets one window, in the changelog too. */
  forget(start: number): void
  /**
   * Forgets the windows that start up to `last`, ahead of the flush: what has changed in them is not among `changed` any more.
   * Absent on disk, where they take no memory.
   */
  release?(last: number): void
}

export interface WindowStoreOptions<K, A> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: StoreValue<A>
  /** How accumulators are kept as rows of doubles; not on disk. */
  readonly row?: AggregateRow<A>
  readonly parameters?: Readonly<Record<string, unknown>>
}

export function windowStore<K, A>(options: WindowStoreOptions<K, A>): StoreSpec<WindowStore<K, A>> {
  return {
    name: options.name,
    kind: 'window',
    parameters: { key: options.key.format, ...options.parameters },
    changelog: true,
    create(environment) {
      const { disk } = environment
      const keys = keysOf(environment.open(options.key, 'key'))
      const values = options.value(environment)
      if (disk) return diskWindowStore({ table: disk.table(), keys, values, cacheBytes: disk.cacheBytes })
      return options.row ? rowWindowStore(keys, values, options.row) : memoryWindowStore(keys, values)
    },
  }
}

function memoryWindowStore<K, A>(keys: Keys<K>, values: ValueCodec<A>): WindowStore<K, A> {
  const windows = new Map<number, Map<unknown, Entry<K, A>>>()
  const { touch, list, settle, flush, writeEntry } = changes<K, A>(
    (entry, out) => encodeWindowKey(keys, entry, out),
    values,
  )
  let sorted: number[] | undefined = []
  let size = 0
  // Records come mostly from one window after the other: the last one is remembered.
  let lastStart = Number.NaN
  let last: Map<unknown, Entry<K, A>> | undefined

  const windowAt = (start: number) => {
    if (start !== lastStart) {
      last = windows.get(start)
      lastStart = start
    }
    return last
  }
  const create = (start: number, key: K, value: A, timestamp: number): Entry<K, A> => {
    let window = windowAt(start)
    if (window === undefined) {
      windows.set(start, (window = last = new Map()))
      sorted = undefined
    }
    const entry = newEntry(keys.keep(key), start, value, timestamp)
    window.set(keys.identity(entry.key), entry)
    size++
    return entry
  }
  const drop = (start: number) => {
    windows.delete(start)
    sorted = undefined
    lastStart = Number.NaN
  }
  const starts = () => (sorted ??= [...windows.keys()].sort((a, b) => a - b))
  const forget = (start: number) => {
    const window = windows.get(start)
    if (window === undefined) return
    for (const entry of window.values()) {
      entry.value = null
      if (entry.logged) touch(entry)
    }
    size -= window.size
    drop(start)
  }
  const unlink = (entry: Entry<K, A>) => {
    const window = windowAt(entry.start)
    if (!window?.delete(keys.identity(entry.key))) return
    size--
    if (window.size === 0) drop(entry.start)
  }

  return {
    get size() {
      return size
    },
    find: (start, key) => windowAt(start)?.get(keys.identity(key)),
    create,
    touch,
    remove(entry) {
      entry.value = null
      unlink(entry)
      touch(entry)
    },
    changed: list,
    starts,
    entries: (start) => [...(windowAt(start)?.values() ?? [])].sort((a, b) => keys.compare(a.key, b.key)),
    *all() {
      for (const window of windows.values()) yield* window.values()
    },
    forget,
    release(last) {
      for (const start of starts()) {
        if (start > last) break
        forget(start)
      }
      settle((entry) => entry.start <= last)
    },
    flush,
    writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      const start = windowStart(source, keyEnd)
      const key = innerKey(keys, source, keyStart, keyEnd)
      const found = windowAt(start)?.get(keys.identity(key))
      if (valueStart < 0) {
        if (found) unlink(found)
        return
      }
      const value = values.decode(source, valueStart, valueEnd)
      restoreEntry(found ?? create(start, key, value, timestamp), value, timestamp)
    },
  }
}
