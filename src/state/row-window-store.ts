import type { AggregateRow } from '../aggregates/row.ts'
import { ByteWriter } from '../serde/bytes.ts'
import type { Keys } from './keys.ts'
import { RowEntry, type RowView } from './row-entry.ts'
import { rows as makeRows, type Rows } from './rows.ts'
import type { ChangelogWriter, Entry, ValueCodec } from './store.ts'
import { encodeWindowEnd, innerKey, windowStart } from './window-key.ts'
import type { WindowStore } from './window-store.ts'

/** The rows of a window store, by number. An entry stands for a row; one that is asked for is made, and kept only here. */
export interface WindowRows<K, A> extends Pick<Rows<K>, 'block' | 'at' | 'reach'> {
  /** -1: there is none. */
  find(start: number, key: K): number
  /** A new row; there must be none. */
  create(start: number, key: K, timestamp: number, accumulator: Float64Array): number
  touch(slot: number): void
  /** The same entry for as long as the row is alive, for those who know entries by their identity. */
  entry(slot: number): Entry<K, A>
  /** Rows changed since the last flush, in the order of their first change; deleted ones too. */
  changed(): readonly number[]
  key(slot: number): K
  start(slot: number): number
  timestamp(slot: number): number
}

/** As the store of objects, for accumulators that are nothing but numbers: 50 to 60 bytes for an entry instead of 230. */
export function rowWindowStore<K, A>(
  keys: Keys<K>,
  values: ValueCodec<A>,
  row: AggregateRow<A>,
): WindowStore<K, A> & { readonly rows: WindowRows<K, A> } {
  const windows = new Map<number, Map<unknown, number>>()
  const rows = makeRows<K>(row)
  const named = new Map<number, RowEntry<K, A>>()
  const keyBytes = new ByteWriter()
  const valueBytes = new ByteWriter()
  const accumulator = new Float64Array(row.width)
  let dirty: number[] = []
  let sorted: number[] | undefined = []
  let size = 0
  // Records come mostly from one window after the other: the last one is remembered.
  let lastStart = Number.NaN
  let last: Map<unknown, number> | undefined

  const windowAt = (start: number) => {
    if (start !== lastStart) {
      last = windows.get(start)
      lastStart = start
    }
    return last
  }
  const find = (start: number, key: K): number => windowAt(start)?.get(keys.identity(key)) ?? -1
  const create = (start: number, key: K, timestamp: number, from: Float64Array): number => {
    let window = windowAt(start)
    if (window === undefined) {
      windows.set(start, (window = last = new Map()))
      sorted = undefined
    }
    const kept = keys.keep(key)
    const slot = rows.take(kept, start, timestamp, from)
    window.set(keys.identity(kept), slot)
    size++
    return slot
  }
  const drop = (start: number) => {
    windows.delete(start)
    sorted = undefined
    lastStart = Number.NaN
  }
  const touch = (slot: number) => {
    if (rows.soil(slot)) dirty.push(slot)
  }
  const free = (slot: number) => {
    named.delete(slot)
    rows.free(slot)
  }
  /** Not found any more; the row stays until the changelog knows. */
  const bury = (slot: number) => {
    rows.remove(slot)
    if (rows.isLogged(slot)) touch(slot)
    else if (!rows.isDirty(slot)) free(slot)
  }
  const unlink = (slot: number) => {
    const start = rows.start(slot)
    const window = windowAt(start)!
    window.delete(keys.identity(rows.key(slot)))
    size--
    if (window.size === 0) drop(start)
  }
  const view: RowView<A> = {
    rows: rows as Rows<unknown>,
    value: (slot) => row.load(rows.block(slot), rows.at(slot)),
    setValue: (slot, value) => row.save(rows.block(slot), rows.at(slot), value),
  }
  const show = (slot: number): RowEntry<K, A> => named.get(slot) ?? new RowEntry<K, A>(view, slot)
  const slotOf = (entry: Entry<K, A>) => (entry as RowEntry<K, A>).slot
  const write = (slot: number, to: ChangelogWriter) => {
    values.encode(view.value(slot), valueBytes.reset())
    to(keyBytes, valueBytes, rows.timestamp(slot))
  }
  const encodeKey = (slot: number) => {
    keys.encode(rows.key(slot), keyBytes.reset())
    encodeWindowEnd(rows.start(slot), keyBytes)
  }

  return {
    rows: {
      block: rows.block,
      at: rows.at,
      reach: rows.reach,
      find,
      create,
      touch,
      entry(slot) {
        let entry = named.get(slot)
        if (entry === undefined) named.set(slot, (entry = new RowEntry<K, A>(view, slot)))
        return entry
      },
      changed: () => dirty,
      key: rows.key,
      start: rows.start,
      timestamp: rows.timestamp,
    },
    get size() {
      return size
    },
    find(start, key) {
      const slot = find(start, key)
      return slot < 0 ? undefined : show(slot)
    },
    create(start, key, value, timestamp) {
      row.save(accumulator, 0, value)
      return show(create(start, key, timestamp, accumulator))
    },
    touch: (entry) => touch(slotOf(entry)),
    remove(entry) {
      const slot = slotOf(entry)
      unlink(slot)
      touch(slot)
      rows.remove(slot)
    },
    changed: () => dirty.map(show),
    starts: () => (sorted ??= [...windows.keys()].sort((a, b) => a - b)),
    entries: (start) => [...(windowAt(start)?.values() ?? [])].map(show).sort((a, b) => keys.compare(a.key, b.key)),
    *all() {
      for (const window of windows.values()) for (const slot of window.values()) yield show(slot)
    },
    forget(start) {
      const window = windows.get(start)
      if (window === undefined) return
      for (const slot of window.values()) bury(slot)
      size -= window.size
      drop(start)
    },
    flush(to) {
      for (const slot of dirty) {
        rows.clean(slot)
        const deleted = rows.isDeleted(slot)
        // Made and gone between two commits: the changelog need not know.
        if (!deleted || rows.isLogged(slot)) {
          encodeKey(slot)
          if (deleted) to(keyBytes, null, rows.timestamp(slot))
          else write(slot, to)
        }
        rows.setLogged(slot, !deleted)
        if (deleted) free(slot)
      }
      dirty = []
    },
    writeEntry(of, to) {
      const entry = of as RowEntry<K, A>
      if (!entry.isThere) return
      encodeKey(entry.slot)
      write(entry.slot, to)
    },
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      const start = windowStart(source, keyEnd)
      const key = innerKey(keys, source, keyStart, keyEnd)
      let slot = find(start, key)
      if (valueStart < 0) {
        if (slot < 0) return
        unlink(slot)
        free(slot)
        return
      }
      const value = values.decode(source, valueStart, valueEnd)
      row.save(accumulator, 0, value)
      if (slot < 0) slot = create(start, key, timestamp, accumulator)
      else {
        view.setValue(slot, value)
        // What it was given out as is what the changelog says, and no longer what was worked out here.
        named.delete(slot)
      }
      rows.setTimestamp(slot, timestamp)
      rows.setLogged(slot, true)
    },
  }
}
