import type { Keys } from './keys.ts'
import type { Entry } from './store.ts'

/**
 * Entries of each key in the order of their start: one lookup finds all that is near a record in time. What expires is
 * found by slots of time that know which keys have entries in them, and is dropped from the front of each key's list.
 */
export interface Timelines<K, E extends Entry<K, unknown>> {
  /** Live entries. */
  readonly size: number
  /** Entries of a key, ascending; do not change the array, nor keep it. */
  of(key: K): readonly E[]
  /** Puts an entry in at an index of `of(entry.key)`. */
  insert(entry: E, at: number): void
  removeAt(key: K, at: number): void
  /** Entries that start in [from, to], in no particular order. */
  between(from: number, to: number): E[]
  /** Drops what starts before `start`; some may stay up to a slot longer. */
  dropBefore(start: number, each: (entry: E) => void): void
  all(): Iterable<E>
  /** Forgets a key, as if it had never been there. */
  unload(key: K): void
}

const NONE: readonly never[] = []

/** @param span - length of a slot in ms */
export function timelines<K, E extends Entry<K, unknown>>(keys: Keys<K>, span: number): Timelines<K, E> {
  const byKey = new Map<unknown, E[]>()
  const slots = new Map<number, Set<E[]>>()
  let size = 0
  let oldest = Number.POSITIVE_INFINITY
  // An operator looks up the key of one record several times.
  let lastIdentity: unknown
  let last: E[] | undefined

  const listOf = (identity: unknown): E[] | undefined => {
    if (identity !== lastIdentity) {
      last = byKey.get(identity)
      lastIdentity = identity
    }
    return last
  }
  const forgetKey = (identity: unknown) => {
    byKey.delete(identity)
    if (identity === lastIdentity) last = undefined
  }
  const index = (list: E[], start: number) => {
    const slot = Math.floor(start / span)
    const lists = slots.get(slot)
    if (lists) lists.add(list)
    else slots.set(slot, new Set([list]))
    if (slot < oldest) oldest = slot
  }
  const leaveSlot = (list: E[], slot: number) => {
    const lists = slots.get(slot)
    lists?.delete(list)
    if (lists?.size === 0) slots.delete(slot)
  }

  return {
    get size() {
      return size
    },
    of: (key) => listOf(keys.identity(key)) ?? NONE,
    insert(entry, at) {
      const identity = keys.identity(entry.key)
      let list = listOf(identity)
      if (list === undefined) {
        list = []
        byKey.set(identity, list)
        last = list
      }
      if (at === list.length) list.push(entry)
      else list.splice(at, 0, entry)
      size++
      index(list, entry.start)
    },
    removeAt(key, at) {
      const identity = keys.identity(key)
      const list = listOf(identity)!
      const slot = Math.floor(list[at].start / span)
      list.splice(at, 1)
      size--
      const isIn = (entry: E | undefined) => entry !== undefined && Math.floor(entry.start / span) === slot
      if (!isIn(list[at - 1]) && !isIn(list[at])) leaveSlot(list, slot)
      if (list.length === 0) forgetKey(identity)
    },
    between(from, to) {
      const found: E[] = []
      const first = Math.floor(from / span)
      const final = Math.floor(to / span)
      for (const slot of final - first < slots.size ? range(first, final) : [...slots.keys()]) {
        const least = Math.max(from, slot * span)
        const most = Math.min(to, (slot + 1) * span - 1)
        for (const list of slots.get(slot) ?? NONE) {
          for (let i = firstAtOrAfter(list, least); i < list.length && list[i].start <= most; i++) found.push(list[i])
        }
      }
      return found
    },
    dropBefore(start, each) {
      // Most of the time nothing has expired.
      if ((oldest + 1) * span > start) return
      oldest = Number.POSITIVE_INFINITY
      const end = Math.floor(start / span) * span
      for (const [slot, lists] of slots) {
        if ((slot + 1) * span > start) {
          if (slot < oldest) oldest = slot
          continue
        }
        slots.delete(slot)
        for (const list of lists) {
          const n = firstAtOrAfter(list, end)
          if (n === 0) continue
          size -= n
          if (n === list.length) forgetKey(keys.identity(list[0].key))
          for (let i = 0; i < n; i++) each(list[i])
          list.splice(0, n)
        }
      }
    },
    *all() {
      // A copy: a snapshot walks over it while commits take entries out.
      for (const list of byKey.values()) yield* [...list]
    },
    unload(key) {
      const identity = keys.identity(key)
      const list = listOf(identity)
      if (list === undefined) return
      for (const { start } of list) {
        leaveSlot(list, Math.floor(start / span))
      }
      size -= list.length
      // A slot that an entry has left may know it yet.
      list.length = 0
      forgetKey(identity)
    },
  }
}

/** Index of the first entry that starts at `start` or later; the length when there is none. */
export function firstAtOrAfter(entries: readonly { readonly start: number }[], start: number): number {
  let low = 0
  let high = entries.length
  // New entries come at the end, or nearly: there the search is over at once.
  if (high > 0 && entries[high - 1].start < start) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (entries[middle].start < start) low = middle + 1
    else high = middle
  }
  return low
}

function range(first: number, last: number): number[] {
  return last < first ? [] : Array.from({ length: last - first + 1 }, (_, i) => first + i)
}
