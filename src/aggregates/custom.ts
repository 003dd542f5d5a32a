import { MillraceError } from '../errors.ts'
import type { Aggregate, AggregateState } from './aggregate.ts'
import { claiming, isCommutative, isNeutral } from './claims.ts'
import { copied } from './clone.ts'
import { plainState } from './plain-state.ts'

/** What `custom` takes: an {@link Aggregate} of which only `init` and `add` must be there. */
export interface CustomAggregate<in V, in out A> {
  /** Shown by `describe`. Default 'custom'. */
  readonly kind?: string
  init(): A
  add(accumulator: A, value: V, timestamp: number): A
  merge?(a: A, b: A): A
  /** See `Aggregate`: say it where it is so, and long sessions cost less. */
  readonly neutral?: boolean
  /** See `Aggregate`: say it where it is so, and sliding windows cost less. */
  readonly commutative?: boolean
  remove?(accumulator: A, value: V, timestamp: number): A
  clone?(accumulator: A): A
  /** Default: plain data (see `custom`). */
  readonly state?: AggregateState<A>
}

/**
 * An aggregate of your own. `add` and `merge` may change the accumulator and return it, or return a new one; null deletes
 * the entry. When `add` throws, the accumulator should be as it was. Throws `INVALID_OPTION` for one that is said to be
 * `commutative` without being able to `merge`, or not `neutral`.
 *
 * Without `result` the accumulator itself comes out, as a copy (`structuredClone`) where it is an object. Without `state`
 * the accumulator may be made of whatever is plain data: null, undefined, booleans, numbers, strings, bigints, dates,
 * bytes, arrays, maps, sets, and objects that are no instance of a class; anything else throws `UNENCODABLE_RECORD`
 * at the first commit.
 *
 * @example The longest text
 * ```ts
 * const longest = custom({
 *   init: () => '',
 *   add: (longest, text: string) => (text.length > longest.length ? text : longest),
 *   merge: (a, b) => (b.length > a.length ? b : a),
 * })
 * texts.pipe(groupByKey(), aggregate('longest', longest))
 * ```
 */
export function custom<V, A, R>(own: CustomAggregate<V, A> & { result(accumulator: A): R }): Aggregate<V, A, R>
export function custom<V, A>(own: CustomAggregate<V, A>): Aggregate<V, A, A>
export function custom<V, A>(own: CustomAggregate<V, A>): Aggregate<V, A, A> {
  const kind = own.kind ?? 'custom'
  const [neutral, commutative] = [isNeutral(own), isCommutative(own)]
  if (own.commutative && !(own.merge && own.neutral)) {
    throw new MillraceError('INVALID_OPTION', `${kind}: it is said to be commutative, and does not merge neutrally`, {
      hint: 'give it merge: (a, b) => … and neutral: true, or leave commutative out',
    })
  }
  // What a spread aggregate has claimed of other functions is not claimed of these.
  return Object.freeze(claiming({ kind, result: copied<A>, state: plainState<A>(kind), ...own, neutral, commutative }))
}
