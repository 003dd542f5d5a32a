import type { Aggregate } from './aggregate.ts'
import { extreme } from './extreme.ts'
import type { OrNull } from './field.ts'

/**
 * The smallest number of a field. Null, undefined and NaN are left out; null when there was nothing else.
 *
 * Cannot be removed from: not for tables. State: Kafka's double, NaN for none. Throws `OPERATOR_FAILED` for what is not a
 * number; for texts see `argMin`.
 */
export function min<V, N extends number | null | undefined>(
  of: (value: V) => N,
): Aggregate<V, number, number | OrNull<N>> {
  return extreme<V, N>('min', of, (a, b) => a < b)
}
