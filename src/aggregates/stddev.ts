import type { Aggregate } from './aggregate.ts'
import type { NumberOf } from './field.ts'
import { type Moments, type MomentsOptions, momentsAggregate, varianceOf } from './moments.ts'

/**
 * The standard deviation of a number of each value: of the values as a sample (divided by n - 1, as in SQL), or with
 * `population: true` of the values as all there are. Null and undefined are left out; null when there are too few
 * numbers (a sample needs two).
 *
 * One pass, stable for numbers far from 0 (Welford; merged after Chan), to about 1e-12 of itself. Cannot be removed from: not
 * for tables. State: 24 bytes.
 */
export function stddev<V>(of: NumberOf<V>, options: MomentsOptions = {}): Aggregate<V, Moments, number | null> {
  return momentsAggregate('stddev', of, options, (moments) => {
    const variance = varianceOf(moments, options)
    return variance === null ? null : Math.sqrt(variance)
  })
}
