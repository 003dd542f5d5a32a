import type { Aggregate } from '../../aggregates/aggregate.ts'
import type { Windowed } from '../../record.ts'
import type { Entry } from '../../state/store.ts'
import type { WindowStore } from '../../state/window-store.ts'
import type { ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import { closesAt } from '../../windows/closing.ts'
import type { AlignedWindows } from '../../windows/windows.ts'
import { results } from './results.ts'
import { rowAggregate, rowResults } from './row-aggregate.ts'
import { waitingWindows } from './waiting.ts'

/**
 * Aggregation in tumbling, hopping, unlimited and custom windows (window-semantics: a window is updated iff it is not
 * closed by the time of the record's lane; otherwise the record is dropped for that window and counted).
 *
 * @param retention - how long a closed window is kept for queries, in ms of stream time
 */
export function aligned<K, V, A, R>(
  aggregate: Omit<Aggregate<V, A, R>, 'state'>,
  windows: AlignedWindows,
  spec: StoreSpec<WindowStore<K, A>>,
  retention: number,
): ProcessorFactory {
  return (context) => {
    const store = context.store(spec)
    const time = context.streamTime()
    const windowed = (key: K, start: number): Windowed<K> => ({ key, window: { start, end: windows.endOf(start) } })
    const keyOf = ({ key, start }: Entry<K, A>) => windowed(key, start)
    const give = results<K, A, R>(context, aggregate, keyOf)
    const late = context.forward('late')
    const waiting = waitingWindows<Entry<K, A>>(context, store)
    const closing = context.listens('final') ? finalResults() : undefined

    const updateEntry = (start: number, key: K, value: V, timestamp: number) => {
      const found = store.find(start, key)
      if (found !== undefined) give.before(found)
      // First what may throw: a window is there only with a record in it.
      const accumulator = aggregate.add(found === undefined ? aggregate.init() : found.value!, value, timestamp)
      const entry = found ?? create(start, key, accumulator, timestamp)
      if (timestamp > entry.timestamp) entry.timestamp = timestamp
      entry.value = accumulator
      if (accumulator === null) store.remove(entry)
      else store.touch(entry)
      give.after(entry)
      waiting?.changed(entry)
    }
    const create = (start: number, key: K, accumulator: A, timestamp: number) => {
      closing?.expect(start)
      return store.create(start, key, accumulator, timestamp)
    }

    const row = rowAggregate<K, V, A, R>(aggregate, store)
    const giveRows = row && rowResults(context, row, give, windowed)
    /** As `updateEntry`, without an entry unless somebody downstream must be told of it at once. */
    const updateRow = (start: number, key: K, value: V, timestamp: number) => {
      const { rows, add, fresh } = row!
      let slot = rows.find(start, key)
      if (slot >= 0) {
        if (context.wantsOld) give.before(rows.entry(slot))
        add(rows.block(slot), rows.at(slot), value, timestamp)
        rows.reach(slot, timestamp)
      } else {
        const first = fresh(value, timestamp)
        closing?.expect(start)
        slot = rows.create(start, key, timestamp, first)
      }
      rows.touch(slot)
      if (context.emit === 'update') give.after(rows.entry(slot))
      waiting?.changed(rows.entry(slot))
    }
    const update = row ? updateRow : updateEntry

    function finalResults() {
      const final = context.forward('final')
      let closedBy = -1
      let nextClose = Number.POSITIVE_INFINITY
      const closeOf = (start: number) => closesAt(windows, windows.endOf(start))
      const expect = (start: number) => {
        const close = closeOf(start)
        if (close < nextClose) nextClose = close
      }
      return {
        expect,
        restored() {
          closedBy = time.closing
          for (const start of store.starts()) {
            if (closeOf(start) <= closedBy) continue
            expect(start)
            if (waiting) for (const entry of store.entries(start)) waiting.changed(entry)
          }
          waiting?.settle()
        },
        giveDue() {
          if (time.closing < nextClose) return
          nextClose = Number.POSITIVE_INFINITY
          for (const start of store.starts()) {
            const close = closeOf(start)
            if (close > time.closing) {
              expect(start)
              break
            }
            if (close <= closedBy) continue
            for (const entry of store.entries(start)) {
              waiting?.gone(entry)
              final(keyOf(entry), aggregate.result(entry.value!), entry.timestamp)
            }
          }
          closedBy = time.closing
        },
      }
    }

    // Custom windows only: one closure for the task, its arguments beside it, so that nothing is made per record.
    let current: { key: K; value: V; timestamp: number; laneTime: number }
    let taken = 0
    let missed = 0
    const visit = (start: number, end: number) => {
      if (closesAt(windows, end) > current.laneTime) {
        taken++
        update(start, current.key, current.value, current.timestamp)
      } else missed++
    }
    const { advance, size, grace } = windows
    const process = (key: K, value: V, timestamp: number) => {
      if (key === null) return context.drop('null-key')
      const laneTime = time.observe(timestamp)
      taken = missed = 0
      if (advance > 0) {
        const closed = laneTime - grace
        for (let start = windows.firstStart(timestamp); start <= timestamp; start += advance) {
          if (start + size > closed) {
            taken++
            update(start, key, value, timestamp)
          } else missed++
        }
      } else {
        current = { key, value, timestamp, laneTime }
        windows.assign(timestamp, visit)
      }
      if (missed > 0) {
        context.drop('late', missed)
        if (taken === 0) late(key, value, timestamp)
      }
      closing?.giveDue()
      waiting?.settle()
    }

    const changedCount = () => (row ? row.rows.changed() : store.changed()).length
    const isOver = (start: number) => closesAt(windows, windows.endOf(start)) + retention <= time.closing
    /** To look through all that has changed must not cost more than the changes themselves did. */
    let enough = 0
    /** Results of windows that are over do not wait for the commit, which has all the less to do and to hold. */
    const release = () => {
      const starts = store.starts()
      if (starts.length === 0 || changedCount() < enough || !isOver(starts[0])) return
      closing?.giveDue()
      let last = starts[0]
      for (const start of starts) {
        if (!isOver(start)) break
        last = start
      }
      if (giveRows) giveRows(last)
      else give.flush(store.changed().filter(({ start }) => start <= last))
      store.release!(last)
      enough = 1.5 * changedCount()
    }

    return {
      inputs: [process],
      restored: () => closing?.restored(),
      advance: () => closing?.giveDue(),
      ...(store.release && context.emit === 'commit' && { release }),
      flush() {
        // The record that closed them may have failed.
        closing?.giveDue()
        if (giveRows) giveRows(Number.POSITIVE_INFINITY)
        else give.flush(store.changed())
        for (const start of store.starts()) {
          if (!isOver(start)) break
          store.forget(start)
        }
        enough = 0
      },
    }
  }
}
