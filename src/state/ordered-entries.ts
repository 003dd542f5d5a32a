import type { Keys } from './keys.ts'
import type { Entry } from './store.ts'

/**
 * Entries in the order of their serialised keys. Sorted when it is first asked for, and kept in order from then on; a
 * store that is never asked for a range pays nothing.
 */
export interface OrderedEntries<K, A> {
  added(entry: Entry<K, A>): void
  removed(): void
  /** Entries from `from` to `to`, both included; undefined: no bound. A copy: the store may change meanwhile. */
  range(from: K | undefined, to: K | undefined): Entry<K, A>[]
}

interface Slot<K, A> {
  readonly text: string
  readonly entry: Entry<K, A>
}

/** Above this many new entries sorting them in together is cheaper than one by one. */
const FEW = 16

/** @param all - the live entries of the store */
export function orderedEntries<K, A>(keys: Keys<K>, all: () => Iterable<Entry<K, A>>): OrderedEntries<K, A> {
  let sorted: Slot<K, A>[] | undefined
  let fresh: Slot<K, A>[] = []
  let gone = 0
  const slot = (entry: Entry<K, A>): Slot<K, A> => ({ text: keys.text(entry.key), entry })

  const inOrder = (): Slot<K, A>[] => {
    if (sorted === undefined) sorted = [...all()].map(slot).sort(byText)
    else if (fresh.length > FEW || gone > sorted.length / 2) {
      sorted = [...sorted, ...fresh].filter(isLive).sort(byText)
      gone = 0
    } else for (const one of fresh) if (isLive(one)) sorted.splice(firstAtOrAfter(sorted, one.text), 0, one)
    fresh = []
    return sorted
  }
  return {
    added(entry) {
      if (sorted !== undefined) fresh.push(slot(entry))
    },
    removed() {
      if (sorted !== undefined) gone++
    },
    range(from, to) {
      const slots = inOrder()
      const last = to === undefined ? undefined : keys.text(to)
      const found: Entry<K, A>[] = []
      for (let i = from === undefined ? 0 : firstAtOrAfter(slots, keys.text(from)); i < slots.length; i++) {
        if (last !== undefined && slots[i].text > last) break
        if (isLive(slots[i])) found.push(slots[i].entry)
      }
      return found
    },
  }
}

const isLive = ({ entry }: Slot<unknown, unknown>): boolean => entry.value !== null

const byText = (a: Slot<unknown, unknown>, b: Slot<unknown, unknown>): number =>
  a.text < b.text ? -1 : a.text > b.text ? 1 : 0

function firstAtOrAfter(slots: readonly Slot<unknown, unknown>[], text: string): number {
  let low = 0
  let high = slots.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (slots[middle].text < text) low = middle + 1
    else high = middle
  }
  return low
}
