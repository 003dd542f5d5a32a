import type { Aggregate } from '../../aggregates/aggregate.ts'
import { rowOf } from '../../aggregates/row.ts'
import type { WindowRows } from '../../state/window-rows.ts'
import type { WindowStore } from '../../state/window-store.ts'
import type { ProcessorContext } from '../../topology/processor.ts'
import type { Results } from './results.ts'

/** An aggregate and a store that both know accumulators as rows of doubles. */
export interface RowAggregate<K, V, A, R> {
  readonly rows: WindowRows<K, A>
  /** Throws before anything is changed, or not at all. */
  readonly add: (block: Float64Array, at: number, value: V, timestamp: number) => void
  /** An accumulator with one value in it; valid until the next call. */
  readonly fresh: (value: V, timestamp: number) => Float64Array
  readonly result: (block: Float64Array, at: number) => R
}

/** Undefined where one of the two knows them as objects. */
export function rowAggregate<K, V, A, R>(
  aggregate: Omit<Aggregate<V, A, R>, 'state'>,
  { rows }: WindowStore<K, A>,
): RowAggregate<K, V, A, R> | undefined {
  const row = rowOf<A, R>(aggregate)
  if (rows === undefined || row === undefined) return undefined
  const { put, result, width } = row
  const { field } = aggregate
  const add = field
    ? (block: Float64Array, at: number, value: V, timestamp: number) => {
        const read = field.read(value)
        if (read !== null) put(block, at, read, timestamp)
      }
    : put
  const blank = new Float64Array(width)
  row.save(blank, 0, aggregate.init())
  const first = new Float64Array(width)
  return {
    rows,
    add,
    result,
    fresh(value, timestamp) {
      first.set(blank)
      add(first, 0, value, timestamp)
      return first
    },
  }
}

/**
 * Gives the changed rows of windows that start up to `last` out, once each, as `Results.flush` does with entries. None of them is
 * deleted: a row of numbers never becomes null, and windows are forgotten afterwards.
 */
export function rowResults<K, V, A, R>(
  context: ProcessorContext,
  { rows, result }: RowAggregate<K, V, A, R>,
  give: Results<K, A>,
  keyOf: (key: K, start: number) => unknown,
): (last: number) => void {
  const next = context.forward()
  return (last) => {
    if (context.emit === 'update') return
    const slots = rows.changed()
    if (context.wantsOld) {
      return give.flush([...slots].filter((slot) => rows.start(slot) <= last).map((slot) => rows.entry(slot)))
    }
    for (let i = 0; i < slots.length; i++) {
      const slot = slots.at(i)
      if (rows.start(slot) > last) continue
      const value = result(rows.block(slot), rows.at(slot))
      next(keyOf(rows.key(slot), rows.start(slot)), value, rows.timestamp(slot), undefined)
    }
  }
}
