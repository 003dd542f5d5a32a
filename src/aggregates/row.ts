import type { ByteWriter } from '../serde/bytes.ts'
import type { AggregateState } from './aggregate.ts'

/**
 * An accumulator as a row of doubles, for aggregates that keep nothing but numbers: a store holds many of them in one
 * array, where an object each takes five times the memory and is copied by the garbage collector. What is added, given
 * and written is the same to the last bit.
 */
export interface AggregateRow<A = unknown, R = unknown> {
  /** Doubles of one accumulator. */
  readonly width: number
  /**
   * Adds what the aggregate's `field` has read, which is not null; the value itself where it has no field. Throws before
   * anything is changed, or not at all.
   */
  // biome-ignore lint/suspicious/noExplicitAny: whatever was read
  put(row: Float64Array, at: number, read: any, timestamp: number): void
  result(row: Float64Array, at: number): R
  /** The accumulator as the aggregate's own functions know it. */
  load(row: Float64Array, at: number): A
  save(row: Float64Array, at: number, accumulator: A): void
  /** Writes what the aggregate's state writes, without an accumulator in between; absent: by `load`. */
  write?(row: Float64Array, at: number, out: ByteWriter): void
}

/**
 * By the aggregate itself and not a property of it: whoever spreads a built-in one and gives it another `add` or `result`
 * must get what they wrote.
 */
const rows = new WeakMap<object, AggregateRow>()

export function withRow<T extends object, A, R>(aggregate: T, row: AggregateRow<A, R> | undefined): T {
  if (row) rows.set(aggregate, row as AggregateRow)
  return aggregate
}

/** How accumulators of an aggregate are kept as rows; undefined where they are objects. */
export function rowOf<A, R>(aggregate: object): AggregateRow<A, R> | undefined {
  return rows.get(aggregate) as AggregateRow<A, R> | undefined
}

/** Of an accumulator that is one number. */
export function numberRow<R>(
  put: AggregateRow['put'],
  result: (accumulator: number) => R,
  write?: (accumulator: number, out: ByteWriter) => void,
): AggregateRow<number, R> {
  return {
    width: 1,
    put,
    result: (row, at) => result(row[at]),
    load: (row, at) => row[at],
    save(row, at, accumulator) {
      row[at] = accumulator
    },
    ...(write && { write: (row, at, out) => write(row[at], out) }),
  }
}

/** How an accumulator in a row is written. */
export function rowWriter<A>(row: AggregateRow<A>, values: Pick<AggregateState<A>, 'encode'>): RowWriter {
  return row.write ?? ((block, at, out) => values.encode(row.load(block, at), out))
}

export type RowWriter = NonNullable<AggregateRow['write']>
