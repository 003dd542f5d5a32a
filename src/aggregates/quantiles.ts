import { MillraceError } from '../errors.ts'
import type { Aggregate } from './aggregate.ts'
import { type Sketch, type Sketches, sketches } from './dd-sketch.ts'
import { fieldAggregate, type NumberOf, readNumber } from './field.ts'

export interface QuantileOptions {
  /** Largest relative error of a result, from 1e-6 to 0.5. Default 0.01. */
  readonly error?: number
}

export interface QuantilesOptions extends QuantileOptions {
  /** Which ones, each from 0 (the lowest number) to 1 (the highest): 0.5 is the median. */
  readonly quantiles: readonly number[]
}

/**
 * Estimates of several quantiles of a number of each value, in the order in which they were asked for. Null, undefined
 * and what is not finite are left out; null when there was nothing else.
 *
 * Each is at most `error` (relative) off the number that has the rank ⌊q (n - 1)⌋ among the n numbers in ascending order:
 * guaranteed, whatever their distribution and number (DDSketch). Merging and removing are exact: they give the sketch
 * that the same numbers would give in one go. State: one small counter for each bin of width 2 `error` that was met,
 * at most 760 for numbers from 1 to 3,600,000 and an error of 1 %. Throws `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * quantiles((request: Request) => request.milliseconds, { quantiles: [0.5, 0.95, 0.99] })
 * ```
 */
export function quantiles<V>(of: NumberOf<V>, options: QuantilesOptions): Aggregate<V, Sketch, number[] | null> {
  const { quantiles: qs, error } = options
  if (qs.length === 0) throw invalid('quantiles', 'no quantiles', 'name at least one')
  return sketched('quantiles', of, qs, error, (sketch, { quantiles }) => quantiles(sketch, qs))
}

/**
 * An estimate of one quantile of a number of each value; as {@link quantiles}, which is cheaper where there are several.
 *
 * @example
 * ```ts
 * requests.pipe(
 *   groupByKey(),
 *   aggregate('latency', { requests: count(), p99: quantile((request) => request.milliseconds, 0.99) }),
 * )
 * ```
 */
export function quantile<V>(
  of: NumberOf<V>,
  q: number,
  options: QuantileOptions = {},
): Aggregate<V, Sketch, number | null> {
  return sketched('quantile', of, [q], options.error, (sketch, { quantiles }) => quantiles(sketch, [q])[0])
}

function sketched<V, R>(
  name: string,
  of: NumberOf<V>,
  qs: readonly number[],
  error = 0.01,
  result: (sketch: Sketch, sketches: Sketches) => R,
): Aggregate<V, Sketch, R | null> {
  const outside = qs.find((q) => !(q >= 0 && q <= 1))
  if (outside !== undefined) throw invalid(name, `quantile ${outside}`, 'give quantiles from 0 to 1, such as 0.99')
  if (!(error >= 1e-6 && error <= 0.5)) throw invalid(name, `error ${error}`, 'give an error from 1e-6 to 0.5')
  const kind = `${name}(${qs.join(', ')}; error ${error})`
  const all = sketches(kind, error)
  const change = (weight: number) => (sketch: Sketch, number: number) =>
    Number.isFinite(number) ? all.add(sketch, number, weight) : sketch
  return fieldAggregate({
    kind,
    read: readNumber(kind, of),
    init: all.empty,
    put: change(1),
    take: change(-1),
    merge: all.merge,
    result: (sketch) => (sketch.count > 0 ? result(sketch, all) : null),
    clone: all.clone,
    state: all.state,
  })
}

function invalid(name: string, what: string, hint: string): MillraceError {
  return new MillraceError('INVALID_OPTION', `${name}: ${what}`, { hint })
}
