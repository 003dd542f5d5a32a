import { ByteWriter } from '../serde/bytes.ts'
import { type Keys, keysOf } from './keys.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import type { ChangelogWriter, Entry, StateStore, ValueCodec } from './store.ts'

/**
 * Aggregates of aligned windows: one Map per window, so that finding an entry is one lookup with the key as it is
 * (0.95 CPU s per million records against 1.42 with a Map per key) and an expired window is dropped as a whole.
 */
export interface WindowStore<K, A> extends StateStore {
  find(start: number, key: K): Entry<K, A> | undefined
  /** A new entry; there must be none. */
  create(start: number, key: K, value: A, timestamp: number): Entry<K, A>
  /** Marks an entry as changed. */
  touch(entry: Entry<K, A>): void
  /** Deletes an entry; it still comes out of `changed` once, with value null. */
  remove(entry: Entry<K, A>): void
  /** Entries changed since the last flush, in the order of their first change. */
  changed(): readonly Entry<K, A>[]
  /** Starts of the windows that hold something, ascending. */
  starts(): readonly number[]
  /** Entries of one window, ordered by serialised key. */
  entries(start: number): Entry<K, A>[]
  /** Forgets the windows that started before `start`, in the changelog too. */
  expire(start: number): void
}

/** Store and changelog keys are Kafka Streams' own (WindowKeySchema): key ‖ start int64 BE ‖ sequence int32 BE. */
const SUFFIX = 12

export function windowStore<K, A>(options: {
  readonly name: string
  readonly key: Serde<K>
  readonly value: ValueCodec<A>
  readonly parameters?: Readonly<Record<string, unknown>>
}): StoreSpec<WindowStore<K, A>> {
  return {
    name: options.name,
    kind: 'window',
    parameters: options.parameters ?? {},
    changelog: true,
    create: ({ changelogTopic, registry }) =>
      memoryWindowStore(keysOf(options.key.open({ topic: changelogTopic, part: 'key', registry })), options.value),
  }
}

function memoryWindowStore<K, A>(keys: Keys<K>, values: ValueCodec<A>): WindowStore<K, A> {
  const windows = new Map<number, Map<unknown, Entry<K, A>>>()
  const keyBytes = new ByteWriter()
  const valueBytes = new ByteWriter()
  let sorted: number[] | undefined = []
  let dirty: Entry<K, A>[] = []
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
  const touch = (entry: Entry<K, A>) => {
    if (entry.dirty) return
    entry.dirty = true
    dirty.push(entry)
  }
  const create = (start: number, key: K, value: A, timestamp: number): Entry<K, A> => {
    let window = windowAt(start)
    if (window === undefined) {
      windows.set(start, (window = last = new Map()))
      sorted = undefined
    }
    const kept = keys.keep(key)
    const entry = { key: kept, start, value, timestamp, dirty: false, logged: false, given: null }
    window.set(keys.identity(kept), entry)
    size++
    return entry
  }
  const unlink = (entry: Entry<K, A>) => {
    const window = windowAt(entry.start)
    if (!window?.delete(keys.identity(entry.key))) return
    size--
    if (window.size === 0) drop(entry.start)
  }
  const drop = (start: number) => {
    windows.delete(start)
    sorted = undefined
    lastStart = Number.NaN
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
    changed: () => dirty,
    starts: () => (sorted ??= [...windows.keys()].sort((a, b) => a - b)),
    entries: (start) => [...(windowAt(start)?.values() ?? [])].sort((a, b) => keys.compare(a.key, b.key)),
    expire(before) {
      for (const start of this.starts()) {
        if (start >= before) break
        const window = windows.get(start)!
        for (const entry of window.values()) {
          entry.value = null
          touch(entry)
        }
        size -= window.size
        drop(start)
      }
    },
    flush(write: ChangelogWriter) {
      for (const entry of dirty) {
        entry.dirty = false
        // Made and gone between two commits: the changelog need not know.
        if (entry.value === null && !entry.logged) continue
        keys.encode(entry.key, keyBytes.reset())
        keyBytes.int64(entry.start)
        keyBytes.int32(0)
        if (entry.value !== null) values.encode(entry.value, valueBytes.reset())
        write(keyBytes, entry.value === null ? null : valueBytes, entry.timestamp)
        entry.logged = entry.value !== null
      }
      dirty = []
    },
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      const start = Number(source.buffer.readBigInt64BE(keyEnd - SUFFIX))
      const key = keys.decode(source.buffer.subarray(keyStart, keyEnd - SUFFIX))
      const found = windowAt(start)?.get(keys.identity(key))
      if (valueStart < 0) {
        if (found) unlink(found)
        return
      }
      const value = values.decode(source, valueStart, valueEnd)
      const entry = found ?? create(start, key, value, timestamp)
      entry.value = value
      entry.timestamp = timestamp
      entry.logged = true
    },
  }
}
