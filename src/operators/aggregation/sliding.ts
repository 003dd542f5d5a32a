import type { Aggregate } from '../../aggregates/aggregate.ts'
import type { Windowed } from '../../record.ts'
import type { SlidingStore } from '../../state/sliding-store.ts'
import type { Entry } from '../../state/store.ts'
import { firstAtOrAfter } from '../../state/timelines.ts'
import type { ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { SlidingWindows } from '../../windows/windows.ts'
import { deferredRecords } from './deferred-records.ts'
import { results } from './results.ts'
import { waitingWindows } from './waiting.ts'

/**
 * Aggregation in sliding windows [s, s + d], both ends inclusive. Windows are made from windows, never from records, as
 * in Kafka Streams (KStreamSlidingWindowAggregate): a record that was too late for its own window is not known to
 * windows that are made afterwards.
 *
 * @param retention - how long a closed window is kept for queries, in ms of stream time
 */
export function sliding<K, V, A, R>(
  aggregate: Omit<Aggregate<V, A, R>, 'state'>,
  { timeDifference: d, grace }: SlidingWindows,
  spec: StoreSpec<SlidingStore<K, A>>,
  retention: number,
): ProcessorFactory {
  return (context) => {
    const store = context.store(spec)
    const time = context.streamTime()
    const keyOf = ({ key, start }: Entry<K, A>): Windowed<K> => ({ key, window: { start, end: start + d } })
    const give = results<K, A, R>(context, aggregate, keyOf)
    const late = context.forward('late')
    /** The record in work is in a window. */
    let taken = false
    const copy = aggregate.clone ?? ((accumulator: A) => structuredClone(accumulator))
    const waiting = waitingWindows<Entry<K, A>>(context, store)
    const closing = context.listens('final') ? finalResults() : undefined
    // Where each update goes out, or is told of, there is nothing to put off.
    const deferred =
      context.emit === 'commit' && !waiting
        ? deferredRecords(aggregate, d, store, {
            node: context.node,
            record: context.record,
            before: give.before,
            created: (entry) => closing?.expect(entry),
          })
        : undefined

    const update = (entry: Entry<K, A>, value: V, timestamp: number) => {
      give.before(entry)
      put(entry, aggregate.add(entry.value!, value, timestamp), timestamp)
    }
    const put = (entry: Entry<K, A>, accumulator: A, timestamp: number) => {
      taken = true
      if (timestamp > entry.timestamp) entry.timestamp = timestamp
      entry.value = accumulator
      if (accumulator === null) store.remove(entry)
      else store.touch(entry)
      give.after(entry)
      waiting?.changed(entry)
    }
    /** A window that begins as `from` (or empty) and takes in the record, unless it is closed. */
    const open = (start: number, key: K, value: V, timestamp: number, closed: number, from: A | undefined) => {
      if (start + d < closed) {
        context.drop('late')
        return false
      }
      // First what may throw: a window is there only with a record in it.
      const accumulator = aggregate.add(from === undefined ? aggregate.init() : copy(from), value, timestamp)
      const entry = store.create(start, key, accumulator, timestamp)
      closing?.expect(entry)
      put(entry, accumulator, timestamp)
      return true
    }
    /** The record's own right window holds what came after it, not the record. */
    const openRight = (key: K, timestamp: number, accumulator: A, newest: number) => {
      const entry = store.create(timestamp + 1, key, accumulator, newest)
      closing?.expect(entry)
      store.touch(entry)
      give.after(entry)
      waiting?.changed(entry)
    }
    const updateUnlessClosed = (entry: Entry<K, A>, value: V, timestamp: number, closed: number) => {
      if (entry.start + d < closed) context.drop('late')
      else update(entry, value, timestamp)
    }

    /** Of the record in work; kept, so that nothing is made per record. */
    const overlapping: Entry<K, A>[] = []
    const inOrder = (key: K, value: V, timestamp: number, closed: number) => {
      const windows = store.windows(key)
      let leftExists = false
      let previous = -1
      let before: Entry<K, A> | undefined
      let right: { value: A; timestamp: number } | undefined
      let holder: Entry<K, A> | undefined
      let i = firstAtOrAfter(windows, timestamp + 2) - 1
      const rightExists = windows[i]?.start === timestamp + 1
      if (rightExists) i--
      const oldest = timestamp - 2 * d
      // The entries are taken first: an aggregate that becomes null removes its window from the array.
      let count = 0
      for (; i >= 0; i--) {
        const entry = windows[i]
        if (entry.start < oldest) break
        if (entry.start + d < timestamp) {
          before = entry
          break
        }
        overlapping[count++] = entry
      }
      for (let n = 0; n < count; n++) {
        const entry = overlapping[n]
        if (entry.start + d > timestamp) {
          if (holder === undefined) {
            holder = entry
            if (!rightExists && entry.timestamp > timestamp) {
              right = { value: copy(entry.value!), timestamp: entry.timestamp }
            }
          }
          updateUnlessClosed(entry, value, timestamp, closed)
        } else {
          leftExists = true
          const newest = entry.timestamp
          updateUnlessClosed(entry, value, timestamp, closed)
          if (newest >= timestamp) return
          previous = newest
        }
      }
      if (before) previous = before.timestamp
      if (previous >= 0) {
        const start = previous + 1
        if (start + d >= timestamp && !has(store.windows(key), start)) {
          const opened = open(start, key, value, timestamp, closed, undefined)
          // It may be the record's own left window; Kafka Streams then gives it twice, with one value.
          if (opened && start === timestamp - d) leftExists = true
        }
      }
      if (!leftExists) {
        const holdsPrevious = before !== undefined && previous >= timestamp - d
        open(timestamp - d, key, value, timestamp, closed, holdsPrevious ? before!.value! : undefined)
      }
      if (right) openRight(key, timestamp, right.value, right.timestamp)
    }

    /** Records before d share the window [0, d], since no window starts before 0. */
    const early = (key: K, value: V, timestamp: number, closed: number) => {
      const windows = store.windows(key)
      const combined = windows[0]?.start === 0 ? windows[0] : undefined
      const upTo = firstAtOrAfter(windows, timestamp + 1)
      const rightExists = windows[upTo]?.start === timestamp + 1
      const overlapping = windows.slice(combined ? 1 : 0, upTo)
      const holder = overlapping.at(-1) ?? combined
      const right =
        !rightExists && holder && holder.timestamp > timestamp
          ? { value: copy(holder.value!), timestamp: holder.timestamp }
          : undefined
      const previous = combined && combined.timestamp < timestamp ? combined.timestamp : -1
      for (const entry of overlapping) updateUnlessClosed(entry, value, timestamp, closed)
      if (right) openRight(key, timestamp, right.value, right.timestamp)
      if (previous >= 0 && !has(store.windows(key), previous + 1)) {
        open(previous + 1, key, value, timestamp, closed, undefined)
      }
      if (combined) updateUnlessClosed(combined, value, timestamp, closed)
      else open(0, key, value, timestamp, closed, undefined)
    }

    function finalResults() {
      const final = context.forward('final')
      const due = store.closings()
      // Windows that start up to here are closed.
      const closedUpTo = () => time.closing - grace - 1 - d
      return {
        expect: due.expect,
        restored() {
          due.restart(closedUpTo())
          if (waiting === undefined) return
          for (const entry of store.all() as Iterable<Entry<K, A>>) {
            if (entry.start > closedUpTo()) waiting.changed(entry)
          }
          waiting.settle()
        },
        giveDue() {
          const upTo = closedUpTo()
          if (due.next > upTo) return
          const closed = due.take(upTo)
          if (deferred) for (const { key } of closed) deferred.settleUpTo(key, upTo)
          for (const entry of closed) {
            waiting?.gone(entry)
            final(keyOf(entry), aggregate.result(entry.value!), entry.timestamp)
          }
        },
      }
    }

    // A record that is late for its own window counts in those that are there already. By several lanes, which are there
    // depends on the faster one: then it is late for all (docs/decisions/0003-lanes.md).
    const tooLate =
      time.lanes > 1
        ? (timestamp: number, closed: number) => Math.max(timestamp, d) < closed
        : (timestamp: number, closed: number) => timestamp + d < closed

    return {
      inputs: [
        (key: K, value: V, timestamp) => {
          if (key === null) return context.drop('null-key')
          if (value === null) return context.drop('null-value')
          const closed = time.observe(timestamp) - grace
          taken = false
          if (tooLate(timestamp, closed)) context.drop('late')
          else if (timestamp < d || timestamp < closed) {
            deferred?.settle(key)
            if (timestamp < d) early(key, value, timestamp, closed)
            else inOrder(key, value, timestamp, closed)
          } else if (deferred?.take(key, value, timestamp)) taken = true
          else inOrder(key, value, timestamp, closed)
          if (!taken) late(key, value, timestamp)
          closing?.giveDue()
          waiting?.settle()
        },
      ],
      restored: () => closing?.restored(),
      advance: () => closing?.giveDue(),
      flush() {
        // The record that closed them may have failed.
        closing?.giveDue()
        deferred?.settle()
        give.flush(store.changed())
        // A record may be as old as C - d, and looks back 2 d further for its predecessor.
        store.expire(time.closing - grace - 3 * d - retention)
      },
    }
  }
}

function has(windows: readonly Entry<unknown, unknown>[], start: number): boolean {
  return windows[firstAtOrAfter(windows, start)]?.start === start
}
