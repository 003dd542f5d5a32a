import { checkWhole } from '../options.ts'
import type { Aggregate } from './aggregate.ts'
import {
  addSum,
  addTo,
  type CompensatedSum,
  copySum,
  newSum,
  rounded,
  roundedSum,
  sumRow,
  sumState,
} from './compensated.ts'
import { fieldAggregate, type NumberOf, readNumber } from './field.ts'

export interface SumOptions {
  /**
   * Each number is rounded to so many decimals, and the sum is exact in them: `decimals: 2` for money in a currency of
   * cents, where 0.1 + 0.2 is then 0.3. Exact while the sum has at most 15 digits. Default: numbers as they are.
   */
  readonly decimals?: number
}

/**
 * The sum of a number of each value; 0 to begin with.
 *
 * Rounding errors are carried along (Neumaier), so that the result does not depend on how many numbers there are, nor on
 * their order, as long as the sum of their magnitudes, times how many there are, is below 10^16 times the smallest (beyond
 * that, the last digit may): money in doubles is right to the cent. Null and undefined add nothing; NaN
 * makes the sum NaN. Removing is exact, except after Infinity or NaN. Throws `OPERATOR_FAILED` for what is not a number.
 *
 * State: Kafka's double, 8 bytes, where the sum is one exactly, else 16: the sum and what rounding has left out of it.
 * With `decimals` the sum is kept in units of the last decimal.
 *
 * @example
 * ```ts
 * payments.pipe(groupByKey(), aggregate('spent', { total: sum((payment) => payment.amount, { decimals: 2 }) }))
 * ```
 */
export function sum<V>(of: NumberOf<V>, { decimals }: SumOptions = {}): Aggregate<V, CompensatedSum, number> {
  const kind = decimals === undefined ? 'sum' : `sum(${decimals} decimals)`
  const common = {
    kind,
    read: readNumber(kind, of),
    init: newSum,
    put: addTo,
    take: (total: CompensatedSum, value: number) => addTo(total, -value),
    merge: addSum,
    commutative: true,
    result: rounded,
    clone: copySum,
    state: sumState(kind),
  }
  if (decimals === undefined) return fieldAggregate(common, sumRow(roundedSum))
  checkWhole('sum', 'decimals', decimals, 0)
  const units = 10 ** decimals
  const { read } = common
  return fieldAggregate(
    {
      ...common,
      read(value: V) {
        const number = read(value)
        return number === null ? null : Math.round(number * units)
      },
      result: (total: CompensatedSum) => rounded(total) / units,
    },
    sumRow((sum, compensation) => roundedSum(sum, compensation) / units),
  )
}
