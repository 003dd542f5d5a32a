import type { Aggregate } from './aggregate.ts'
import { addSum, addTo, addToRow, type CompensatedSum, roundedSum, split } from './compensated.ts'
import { fieldAggregate, type OrNull, readNumber } from './field.ts'
import { StateReader } from './state-reader.ts'

interface Mean extends CompensatedSum {
  count: number
}

/**
 * The arithmetic mean of a number of each value. Null and undefined are left out; null when there was nothing else.
 *
 * Summed up as `sum` does, so that large counts lose nothing; removing is exact. State: 24 bytes.
 */
export function mean<V, N extends number | null | undefined>(
  of: (value: V) => N,
): Aggregate<V, Mean, number | OrNull<N>> {
  const result = (sum: number, compensation: number, count: number) =>
    (count > 0 ? roundedSum(sum, compensation) / count : null) as number | OrNull<N>
  return fieldAggregate(
    {
      kind: 'mean',
      read: readNumber('mean', of),
      init: () => ({ sum: 0, compensation: 0, count: 0 }),
      put(mean: Mean, number: number) {
        addTo(mean, number)
        mean.count++
        return mean
      },
      take(mean: Mean, number: number) {
        addTo(mean, -number)
        mean.count--
        return mean
      },
      commutative: true,
      merge(a: Mean, b: Mean) {
        addSum(a, b)
        a.count += b.count
        return a
      },
      result: ({ sum, compensation, count }) => result(sum, compensation, count),
      clone: ({ sum, compensation, count }) => ({ sum, compensation, count }),
      state: {
        size: 24,
        encode(mean, out) {
          const { high, low } = split(mean)
          out.float64(high)
          out.float64(low)
          out.int64(mean.count)
        },
        decode(source, start, end) {
          const reader = new StateReader('mean', source, start, end)
          const mean = { sum: reader.float64(), compensation: reader.float64(), count: reader.int64() }
          reader.finish()
          return mean
        },
      },
    },
    {
      width: 3,
      put(row, at, number) {
        addToRow(row, at, number)
        row[at + 2]++
      },
      result: (row, at) => result(row[at], row[at + 1], row[at + 2]),
      load: (row, at) => ({ sum: row[at], compensation: row[at + 1], count: row[at + 2] }),
      save(row, at, { sum, compensation, count }) {
        row[at] = sum
        row[at + 1] = compensation
        row[at + 2] = count
      },
    },
  )
}
