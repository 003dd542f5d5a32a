import type { Aggregate } from '../../aggregates/aggregate.ts'
import { isCommutative } from '../../aggregates/claims.ts'
import { cloneOf } from '../../aggregates/clone.ts'
import type { SlidingStore } from '../../state/sliding-store.ts'
import type { Entry } from '../../state/store.ts'
import { firstAtOrAfter } from '../../state/timelines.ts'
import type { ProcessorContext } from '../../topology/processor.ts'
import { PendingRecords } from './pending-records.ts'

/** Records that are put into the windows which hold them later, all records of a key at once. */
export interface DeferredRecords<K, V> {
  /**
   * Takes a record, and makes the windows that it makes; false: it must be added to its windows at once, nothing is
   * pending for its key. The record must not be late for its own window, nor be before the first one.
   */
  take(key: K, value: V, timestamp: number): boolean
  /** Brings the windows of a key, or all, up to date. */
  settle(key?: K): void
  /** Brings those windows of a key up to date that start up to `start`: no record that lies in them comes any more. */
  settleUpTo(key: K, start: number): void
}

/** What the operator is, and what it is told. */
interface DeferringFrom<K, A> extends Pick<ProcessorContext, 'node' | 'record'> {
  /** Called before an entry changes. */
  before(entry: Entry<K, A>): void
  /** Called with each new window. */
  created(entry: Entry<K, A>): void
}

/** Below so many windows adding a record to each is cheaper. */
const FEW = 8

/**
 * Sliding windows without a touch of every window at every record (docs/decisions/0019). Which windows there are is
 * decided at each record, as in Kafka Streams; what is put off is what they hold. A window then holds what it was made from, and
 * the pending records that lie in it. Where that would not be what adding one by one gives, as it can be after
 * records that were late for their own window, the key is settled, and the record added to each window.
 *
 * @param d - the time difference
 * @returns undefined where the order of values shows
 */
export function deferredRecords<K, V, A, R>(
  aggregate: Omit<Aggregate<V, A, R>, 'state'>,
  d: number,
  store: SlidingStore<K, A>,
  { node, record, before, created }: DeferringFrom<K, A>,
): DeferredRecords<K, V> | undefined {
  const { merge } = aggregate
  if (!merge || !isCommutative(aggregate)) return undefined
  const copy = cloneOf(aggregate)
  const merging = { kind: aggregate.kind, merge: merge.bind(aggregate), copy }
  const { touch } = store
  const pending = new Map<unknown, PendingRecords<K, A>>()

  const settleKey = (of: PendingRecords<K, A>, upTo: number) => of.sweep(store.windows(of.key), upTo, before)
  const settle = (key?: K) => {
    if (pending.size === 0) return
    if (key === undefined) {
      for (const of of pending.values()) settleKey(of, Number.POSITIVE_INFINITY)
      pending.clear()
      return
    }
    const identity = store.identity(key)
    const of = pending.get(identity)
    if (of === undefined) return
    settleKey(of, Number.POSITIVE_INFINITY)
    pending.delete(identity)
  }
  const create = (start: number, key: K, value: A, newest: number) => {
    const entry = store.create(start, key, value, newest)
    touch(entry)
    created(entry)
  }
  const pendingFor = (key: K) => {
    const { topic, partition, offset } = record
    return new PendingRecords<K, A>({ key, node, origin: { topic, partition, offset } }, d, merging)
  }
  store.deferTo(settle)

  return {
    settle,
    settleUpTo(key, start) {
      const of = pending.get(store.identity(key))
      if (of !== undefined) settleKey(of, start)
    },
    take(key, value, timestamp) {
      const windows = store.windows(key)
      const leftStart = timestamp - d
      const upTo = firstAtOrAfter(windows, timestamp + 1)
      const from = firstAtOrAfter(windows, leftStart)
      const identity = store.identity(key)
      const known = pending.get(identity)
      if (known === undefined && upTo - from < FEW) return false
      const of = known ?? pendingFor(windows[from].key)
      const newestIn = (entry: Entry<K, A>) => Math.max(entry.timestamp, of.newest(entry.start, entry.start + d))
      /** There are pending records in between. */
      const any = (least: number, most: number) => of.newest(least, most) >= 0

      // See `inOrder` in sliding.ts: what is made of what.
      const left = windows[from]?.start === leftStart ? windows[from] : undefined
      const newestLeft = left === undefined ? -1 : newestIn(left)
      let opensPrevious = false
      let opensLeft = false
      let opensRight = false
      let previous = newestLeft
      let source: Entry<K, A> | undefined
      let holder: Entry<K, A> | undefined
      let newestRight = -1
      if (newestLeft < timestamp) {
        const last = from > 0 && windows[from - 1].start >= timestamp - 2 * d ? windows[from - 1] : undefined
        if (last !== undefined) previous = newestIn(last)
        const start = previous + 1
        opensPrevious = previous >= 0 && start >= leftStart && windows[firstAtOrAfter(windows, start)]?.start !== start
        opensLeft = left === undefined && !(opensPrevious && start === leftStart)
        if (last !== undefined && previous >= leftStart) source = last
        if (upTo > from && windows[upTo - 1].start > leftStart && windows[upTo]?.start !== timestamp + 1) {
          holder = windows[upTo - 1]
          newestRight = newestIn(holder)
          opensRight = newestRight > timestamp
        }
        // Adding one by one would have put into the window that a new one is made from what is pending there, all of it.
        // It must be what is pending in the new one. (On the other side nothing can be: it has a left window of its own.)
        const differs =
          (opensPrevious && any(start, start + d)) ||
          (opensLeft && source !== undefined && (of.hasSwept(source) || any(source.start, leftStart - 1))) ||
          (opensRight && any(holder!.start, timestamp))
        if (differs) {
          settle(key)
          return false
        }
      }
      // First what may throw.
      const partial = aggregate.add(aggregate.init(), value, timestamp)
      if (known === undefined) pending.set(store.identity(of.key), of)
      of.mark(windows, leftStart, timestamp, touch)
      if (opensPrevious) create(previous + 1, key, aggregate.init(), timestamp)
      if (opensLeft) create(leftStart, key, source === undefined ? aggregate.init() : copy(source.value!), timestamp)
      if (opensRight) create(timestamp + 1, key, copy(holder!.value!), newestRight)
      of.add(timestamp, partial)
      return true
    },
  }
}
