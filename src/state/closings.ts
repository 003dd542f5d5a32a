import { dueQueue } from './due-queue.ts'
import type { Entry } from './store.ts'

/** Entries that have no final result yet, by the time up to which they may still change. */
export interface Closings<E> {
  /** A new entry. */
  expect(entry: E): void
  /** Nothing is due before this time. */
  readonly next: number
  /** Takes out the live entries whose time is not after `upTo`, in the order of the store. */
  take(upTo: number): E[]
  /** After a restore: what has a time up to `upTo` has been taken. */
  restart(upTo: number): void
}

/** @param timeOf - it may grow while the entry waits */
export function memoryClosings<E extends Entry<unknown, unknown>>(
  all: () => Iterable<E>,
  timeOf: (entry: E) => number,
  compare: (a: E, b: E) => number,
): Closings<E> {
  const due = dueQueue<E>()
  return {
    get next() {
      return due.next
    },
    expect: (entry) => due.put(entry, timeOf(entry)),
    take(upTo) {
      const taken: E[] = []
      while (due.next <= upTo) {
        const entry = due.take()!
        if (entry.value === null) continue
        if (timeOf(entry) > upTo) due.put(entry, timeOf(entry))
        else taken.push(entry)
      }
      return taken.sort(compare)
    },
    restart(upTo) {
      due.clear()
      for (const entry of all()) if (timeOf(entry) > upTo) due.put(entry, timeOf(entry))
    },
  }
}
