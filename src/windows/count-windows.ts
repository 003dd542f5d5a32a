import { MillraceError } from '../errors.ts'
import { checkWhole } from '../options.ts'
import type { WindowAssigner } from './custom.ts'
import type { WindowDescription } from './windows.ts'

/**
 * Windows over the records of a key in order of arrival: a {@link WindowAssigner} whose line is not time but the number
 * of the record within its key, from 0. That number is all the state an operator keeps per key beside the accumulators:
 * it calls `assign(number)`, and a window is closed, for that key alone, when its last record (`end - 1`) is in.
 * There is no lateness, and stream time plays no part.
 */
export interface CountWindows extends WindowAssigner {
  readonly kind: 'count'
  readonly size: number
  readonly advance: number
  readonly describe: WindowDescription
}

export interface CountOptions {
  /** A new window starts every `advance` records; at most the size. Default: the size, so that windows do not overlap. */
  readonly advance?: number
}

/**
 * Windows of `size` records of a key, whatever their timestamps. Order of arrival is order in the partition; behind a
 * repartition of several upstream tasks it depends on their progress.
 *
 * The bounds of a window are numbers of records: the first window of a key is { start: 0, end: size }. A window closes, and
 * its final result comes out, with its last record; at the next commit it leaves its store, whatever the `retention`. The
 * number of records of each key is kept for ever, in a store of its own (`<name>-positions`). Null keys are dropped and
 * counted, null values count. Throws `INVALID_OPTION` for a size below 1 or an advance outside 1 … size. Kafka Streams has
 * no such thing; Flink: `countWindow`.
 *
 * @example
 * ```ts
 * readings.pipe(groupByKey(), windowedBy(countWindows(100)), aggregate('batches', { mean: mean((celsius) => celsius) }), untilWindowCloses())
 * ```
 */
export function countWindows(size: number, { advance = size }: CountOptions = {}): CountWindows {
  checkWhole('countWindows', 'size', size, 1)
  checkWhole('countWindows', 'advance', advance, 1)
  if (advance > size) {
    throw new MillraceError('INVALID_OPTION', `countWindows: advance ${advance} is more than the size ${size}`, {
      hint: 'records between two windows would be lost; make advance at most the size',
    })
  }
  return Object.freeze<CountWindows>({
    kind: 'count',
    name: 'count',
    size,
    advance,
    longest: size,
    describe: Object.freeze({ kind: 'count', size, advance }),
    endOf: (start) => start + size,
    assign(position, visit) {
      const first = Math.floor(Math.max(0, position - size + advance) / advance) * advance
      for (let start = first; start <= position; start += advance) visit(start, start + size)
    },
  })
}
