import type { Aggregate } from './aggregate.ts'
import { fieldAggregate, type NumberOf, type OrNull, readNumber } from './field.ts'
import { numberRow } from './row.ts'
import { doubleState } from './states.ts'

/** What `min` and `max` have in common. The accumulator is NaN until there is a number. */
export function extreme<V, N>(
  kind: string,
  of: NumberOf<V>,
  beats: (a: number, b: number) => boolean,
): Aggregate<V, number, number | OrNull<N>> {
  const pick = (best: number, number: number) => (beats(number, best) || Number.isNaN(best) ? number : best)
  // Of 0 and -0, which are equal, it must not depend on the order which one stays.
  const put = (best: number, number: number) => pick(best, number + 0)
  const result = (best: number) => (Number.isNaN(best) ? null : best) as number | OrNull<N>
  return fieldAggregate(
    {
      kind,
      read: readNumber(kind, of),
      init: () => Number.NaN,
      put,
      merge: pick,
      commutative: true,
      result,
      clone: (best) => best,
      state: doubleState(kind),
    },
    numberRow(
      (row, at, number) => {
        row[at] = put(row[at], number)
      },
      result,
      (best, out) => out.float64(best),
    ),
  )
}
