import type { StoreSpec } from '../topology/store-spec.ts'
import { changes, newEntry, restoreEntry } from './changes.ts'
import { type Closings, memoryClosings } from './closings.ts'
import type { Pageable } from './disk/paged.ts'
import { pagedSlidingStore } from './disk/paged-sliding.ts'
import { type Keys, keysOf } from './keys.ts'
import type { Entry, StateStore, ValueCodec } from './store.ts'
import { firstAtOrAfter, timelines } from './timelines.ts'
import { compareWindows, encodeWindowKey, innerKey, startOf, windowStart } from './window-key.ts'
import type { WindowStoreOptions } from './window-store.ts'

/**
 * Aggregates of windows that the records themselves make (sliding): per key, an array ordered by start, since each
 * record works on all windows of its key that are near it.
 */
export interface SlidingStore<K, A> extends StateStore {
  /** Windows of a key, ascending by start; do not change the array. */
  windows(key: K): readonly Entry<K, A>[]
  /** One window, as it is now. */
  find(start: number, key: K): Entry<K, A> | undefined
  /** What tells keys apart in a Map. */
  identity(key: K): unknown
  create(start: number, key: K, value: A, timestamp: number): Entry<K, A>
  /**
   * Values and timestamps of changed entries may be behind; `settle` brings those of a key, or all, up to date. It is
   * called before `find`, `all` and `between` give them out, but not by `windows`.
   */
  deferTo(settle: (key?: K) => void): void
  touch(entry: Entry<K, A>): void
  remove(entry: Entry<K, A>): void
  changed(): readonly Entry<K, A>[]
  /** All entries, ordered by start and serialised key, whose start is in (after, upTo]. */
  between(after: number, upTo: number): Entry<K, A>[]
  /** Windows that wait for their close, by their start; made once. Given in the order of start and serialised key. */
  closings(): Closings<Entry<K, A>>
  /** Forgets the windows that start before `start`, in the changelog too; it may keep some a little longer. */
  expire(start: number): void
}

/** @param span - about how far apart in time entries are forgotten together, ms */
export function slidingStore<K, A>(
  options: WindowStoreOptions<K, A> & { readonly span: number },
): StoreSpec<SlidingStore<K, A>> {
  return {
    name: options.name,
    kind: 'window',
    parameters: { key: options.key.format, ...options.parameters },
    changelog: true,
    create(environment) {
      const { disk } = environment
      const keys = keysOf(environment.open(options.key, 'key'))
      const values = options.value(environment)
      const make = () => memorySlidingStore(keys, values, Math.max(1, Math.floor(options.span / 16)))
      return disk ? pagedSlidingStore({ disk, keys, values, make }) : make()
    },
  }
}

function memorySlidingStore<K, A>(
  keys: Keys<K>,
  values: ValueCodec<A>,
  span: number,
): SlidingStore<K, A> & Pageable<K> {
  const lines = timelines<K, Entry<K, A>>(keys, span)
  const { touch, list, flush, writeEntry } = changes<K, A>((entry, out) => encodeWindowKey(keys, entry, out), values)
  const compare = (a: Entry<K, A>, b: Entry<K, A>) => compareWindows(keys, a, b)

  const create = (start: number, key: K, value: A, timestamp: number): Entry<K, A> => {
    const windows = lines.of(key)
    const entry = newEntry(windows.length ? windows[0].key : keys.keep(key), start, value, timestamp)
    lines.insert(entry, firstAtOrAfter(windows, start))
    return entry
  }
  const unlink = (entry: Entry<K, A>) => {
    const windows = lines.of(entry.key)
    const at = firstAtOrAfter(windows, entry.start)
    if (windows[at] === entry) lines.removeAt(entry.key, at)
  }

  let settle: (key?: K) => void = () => {}

  return {
    get size() {
      return lines.size
    },
    windows: lines.of,
    find(start, key) {
      settle(key)
      const windows = lines.of(key)
      const entry = windows[firstAtOrAfter(windows, start)]
      return entry?.start === start ? entry : undefined
    },
    identity: keys.identity,
    deferTo(by) {
      settle = by
    },
    create,
    touch,
    remove(entry) {
      entry.value = null
      unlink(entry)
      touch(entry)
    },
    changed: list,
    all() {
      settle()
      return lines.all()
    },
    between(after, upTo) {
      settle()
      return lines.between(after + 1, upTo).sort(compare)
    },
    closings: () => memoryClosings(lines.all, startOf, compare),
    unload: lines.unload,
    expire(before) {
      lines.dropBefore(before, (entry) => {
        entry.value = null
        if (entry.logged) touch(entry)
      })
    },
    flush,
    writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      const start = windowStart(source, keyEnd)
      const key = innerKey(keys, source, keyStart, keyEnd)
      const windows = lines.of(key)
      const at = firstAtOrAfter(windows, start)
      const found = windows[at]?.start === start ? windows[at] : undefined
      if (valueStart < 0) {
        if (found) unlink(found)
        return
      }
      const value = values.decode(source, valueStart, valueEnd)
      restoreEntry(found ?? create(start, key, value, timestamp), value, timestamp)
    },
  }
}
