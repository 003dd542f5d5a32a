import type { Entry } from './store.ts'

/**
 * Entries by a time of theirs, in slots, so that what has expired is found without looking at every key. The time of an
 * entry may move, forward only.
 */
export interface TimeIndex<E> {
  add(entry: E, time: number): void
  /** `from` is the time it was added with. */
  move(entry: E, from: number, to: number): void
  remove(entry: E, time: number): void
  /** Entries of slots that lie before `time` as a whole: it may leave out some that are only just before it. */
  before(time: number): E[]
}

/** @param span - length of a slot in ms */
export function timeIndex<E extends Entry<unknown, unknown>>(span: number): TimeIndex<E> {
  const slots = new Map<number, Set<E>>()
  let oldest = Number.POSITIVE_INFINITY
  const slotOf = (time: number) => Math.floor(time / span)
  const put = (entry: E, slot: number) => {
    const peers = slots.get(slot)
    if (peers) peers.add(entry)
    else slots.set(slot, new Set([entry]))
    if (slot < oldest) oldest = slot
  }
  const take = (entry: E, slot: number) => {
    const peers = slots.get(slot)
    if (peers?.delete(entry) && peers.size === 0) slots.delete(slot)
  }
  return {
    add: (entry, time) => put(entry, slotOf(time)),
    move(entry, from, to) {
      const slot = slotOf(to)
      if (slotOf(from) === slot) return
      take(entry, slotOf(from))
      put(entry, slot)
    },
    remove: (entry, time) => take(entry, slotOf(time)),
    before(time) {
      const found: E[] = []
      // Most of the time nothing has expired, and there may be many slots.
      if ((oldest + 1) * span > time) return found
      oldest = Number.POSITIVE_INFINITY
      for (const [slot, peers] of slots) {
        if ((slot + 1) * span <= time) found.push(...peers)
        if (slot < oldest) oldest = slot
      }
      return found
    },
  }
}
