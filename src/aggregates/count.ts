import type { Aggregate } from './aggregate.ts'
import { claiming } from './claims.ts'
import { numberRow, withRow } from './row.ts'
import { longState } from './states.ts'

const COUNT: Aggregate<unknown, number, number> = withRow(
  Object.freeze(
    claiming({
      kind: 'count',
      init: () => 0,
      add: (count: number) => count + 1,
      merge: (a: number, b: number) => a + b,
      neutral: true,
      commutative: true,
      remove: (count: number) => count - 1,
      result: (count: number) => count,
      clone: (count: number) => count,
      state: longState('count'),
    }),
  ),
  numberRow<number>(
    (row, at) => {
      row[at]++
    },
    (count) => count,
    (count, out) => out.int64(count),
  ),
)

/**
 * How many values there were: null ones too, where an aggregation hands them on (tumbling and hopping windows do).
 *
 * Exact up to 2^53. State: Kafka's long, 8 bytes, so that Kafka Streams can read the changelog.
 */
export function count(): Aggregate<unknown, number, number> {
  return COUNT
}
