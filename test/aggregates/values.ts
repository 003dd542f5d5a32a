import fc from 'fast-check'
import type { Aggregate } from '../../src/aggregates/aggregate.ts'

/** A payment with a field that may be missing. */
export interface Payment {
  readonly amount: number | null | undefined
  readonly method: string | null | undefined
}

/** Amounts in whole cents, sometimes missing; few methods, so that they repeat. */
export const payments: fc.Arbitrary<Payment> = fc.record({
  amount: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((cents) => cents / 100) },
    { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
  ),
  method: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('card', 'cash', 'a method with a name longer than 13', 'überweisung') },
    { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
  ),
})

/** The same, or a null value in place of a payment, as windowed aggregations hand them on. */
export const paymentsOrNull = fc.oneof(
  { weight: 19, arbitrary: payments },
  { weight: 1, arbitrary: fc.constant(null as unknown as Payment) },
)

/** What comes out after these values, at timestamps 0, 1, 2 … */
export function resultOf<V, A, R>(aggregate: Aggregate<V, A, R>, values: readonly V[]): R {
  const add = (accumulator: A, value: V, i: number) => aggregate.add(accumulator, value, i)
  return aggregate.result(values.reduce(add, aggregate.init()))
}
