import type { TimelineTable } from '../../topology/disk-table.ts'
import type { Closings } from '../closings.ts'
import { dueQueue } from '../due-queue.ts'
import type { Entry, StateStore } from '../store.ts'
import type { Paged } from './paged.ts'

export interface PagedClosings<E> extends Closings<E> {
  /** What was new is on disk now. */
  flushed(): void
}

/** Closings of a paged store: only entries that are not on disk yet are remembered, the others are found by their time. */
export function pagedClosings<K, E extends Entry<K, unknown>, S extends StateStore>(
  { needBetween }: Pick<Paged<K, S>, 'needBetween'>,
  table: TimelineTable,
  /** Loaded entries of a key. */
  of: (key: K) => readonly E[],
  timeOf: (entry: E) => number,
  compare: (a: E, b: E) => number,
): PagedClosings<E> {
  const fresh = dueQueue<E>()
  let takenUpTo = Number.NEGATIVE_INFINITY
  let nextOnDisk: number | undefined
  const next = () => {
    nextOnDisk ??= table.nextTime(takenUpTo)
    return Math.min(fresh.next, nextOnDisk)
  }
  return {
    get next() {
      return next()
    },
    expect: (entry) => fresh.put(entry, timeOf(entry)),
    take(upTo) {
      if (next() > upTo) return []
      const candidates = new Set<E>()
      if (nextOnDisk! <= upTo) {
        for (const key of needBetween(takenUpTo + 1, upTo)) {
          // Those that have grown are on disk under their old time.
          for (const entry of of(key)) if (timeOf(entry) > takenUpTo) candidates.add(entry)
        }
      }
      while (fresh.next <= upTo) candidates.add(fresh.take()!)
      const taken: E[] = []
      for (const entry of candidates) {
        if (entry.value === null) continue
        if (timeOf(entry) > upTo) fresh.put(entry, timeOf(entry))
        else taken.push(entry)
      }
      takenUpTo = Math.max(takenUpTo, upTo)
      nextOnDisk = undefined
      return taken.sort(compare)
    },
    restart(upTo) {
      fresh.clear()
      takenUpTo = upTo
      nextOnDisk = undefined
    },
    flushed() {
      fresh.clear()
      nextOnDisk = undefined
    },
  }
}
