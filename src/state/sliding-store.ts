import type { StoreSpec } from '../topology/store-spec.ts'
import { changes, newEntry, restoreEntry } from './changes.ts'
import { type Keys, keysOf } from './keys.ts'
import type { Entry, StateStore, ValueCodec } from './store.ts'
import { timeIndex } from './time-index.ts'
import { encodeWindowKey, innerKey, windowStart } from './window-key.ts'
import type { WindowStoreOptions } from './window-store.ts'

/**
 * Aggregates of windows that the records themselves make (sliding): per key, an array ordered by start, since each
 * record works on all windows of its key that are near it.
 */
export interface SlidingStore<K, A> extends StateStore {
  /** Windows of a key, ascending by start; do not change the array. */
  windows(key: K): readonly Entry<K, A>[]
  create(start: number, key: K, value: A, timestamp: number): Entry<K, A>
  touch(entry: Entry<K, A>): void
  remove(entry: Entry<K, A>): void
  changed(): readonly Entry<K, A>[]
  /** All entries, ordered by start and serialised key, whose start is in (after, upTo]. */
  between(after: number, upTo: number): Entry<K, A>[]
  /** Orders entries by start and serialised key, as final results come out. */
  compare(a: Entry<K, A>, b: Entry<K, A>): number
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
    create: (environment) =>
      memorySlidingStore(
        keysOf(environment.open(options.key, 'key')),
        options.value(environment),
        Math.max(1, Math.floor(options.span / 16)),
      ),
  }
}

const NONE: readonly never[] = []

function memorySlidingStore<K, A>(keys: Keys<K>, values: ValueCodec<A>, span: number): SlidingStore<K, A> {
  const byKey = new Map<unknown, Entry<K, A>[]>()
  const byStart = timeIndex<Entry<K, A>>(span)
  const { touch, list, flush, writeEntry } = changes<K, A>((entry, out) => encodeWindowKey(keys, entry, out), values)
  const compare = (a: Entry<K, A>, b: Entry<K, A>) => a.start - b.start || keys.compare(a.key, b.key)
  let size = 0

  const create = (start: number, key: K, value: A, timestamp: number): Entry<K, A> => {
    const identity = keys.identity(key)
    let windows = byKey.get(identity)
    if (windows === undefined)
      byKey.set(typeof identity === 'string' ? keys.keep(identity as K) : identity, (windows = []))
    const entry = newEntry(windows.length ? windows[0].key : keys.keep(key), start, value, timestamp)
    const at = firstAtOrAfter(windows, start)
    if (at === windows.length) windows.push(entry)
    else windows.splice(at, 0, entry)
    byStart.add(entry, start)
    size++
    return entry
  }
  const unlink = (entry: Entry<K, A>) => {
    const identity = keys.identity(entry.key)
    const windows = byKey.get(identity)
    const at = windows ? firstAtOrAfter(windows, entry.start) : -1
    if (!windows || windows[at] !== entry) return
    if (windows.length === 1) byKey.delete(identity)
    else windows.splice(at, 1)
    byStart.remove(entry, entry.start)
    size--
  }

  return {
    get size() {
      return size
    },
    windows: (key) => byKey.get(keys.identity(key)) ?? NONE,
    create,
    touch,
    remove(entry) {
      entry.value = null
      unlink(entry)
      touch(entry)
    },
    changed: list,
    *all() {
      for (const windows of byKey.values()) yield* windows
    },
    between: (after, upTo) =>
      byStart
        .around(after, upTo)
        .filter(({ start }) => start > after && start <= upTo)
        .sort(compare),
    compare,
    expire(before) {
      for (const entry of byStart.before(before)) {
        entry.value = null
        unlink(entry)
        if (entry.logged) touch(entry)
      }
    },
    flush,
    writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      const start = windowStart(source, keyEnd)
      const key = innerKey(keys, source, keyStart, keyEnd)
      const windows = byKey.get(keys.identity(key)) ?? NONE
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

/** Index of the first entry that starts at `start` or later; the length when there is none. */
export function firstAtOrAfter(windows: readonly Entry<unknown, unknown>[], start: number): number {
  let low = 0
  let high = windows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (windows[middle].start < start) low = middle + 1
    else high = middle
  }
  return low
}
