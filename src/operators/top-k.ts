import { type Aggregate, type Comparable, topK as topKAggregate } from '../aggregates/index.ts'
import type { Top } from '../aggregates/top-k.ts'
import type { Grouped } from '../topology/grouped.ts'
import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import { type AggregateOptions, aggregated } from './aggregate.ts'

/**
 * The `n` values, or fields of them, whose `by` is largest, in descending order; of equal ones, those that arrived
 * first. Without a name, the aggregate, for use in `aggregate`; with a name, the operator that keeps them for each
 * group (and window). For the smallest: negate `by`.
 *
 * As an operator it is `aggregate(name, topK(n, by))`. Meant for tens, not thousands. What is kept must be plain data
 * (see `custom`). It cannot be removed from, so not for tables. Throws `INVALID_OPTION` for an `n` below 1.
 *
 * @ordering As `aggregate`.
 * @state As `aggregate`: `n` values, or both fields of each, per key (and window).
 * @nulls As `aggregate`. Left out are values whose `by` or field is null or undefined, or whose `by` is NaN.
 * @late As `aggregate`.
 * @kafkaStreams None; written there with `aggregate`.
 *
 * @marble
 * ```ts
 * numbers.pipe(groupByKey(), topK('best', 2, (n) => n))
 * ```
 * ```marbles
 * numbers | a=3@1   | a=5@2     | a=4@3
 * out     | a=[3]@1 | a=[5,3]@2 | a=[5,4]@3
 * ```
 *
 * @example
 * ```ts
 * sales.pipe(
 *   groupBy((sale) => sale.category),
 *   windowedBy(hopping(hours(1), { advance: minutes(5) })),
 *   topK('biggest-sales', 10, (sale) => sale.amount),
 * )   // Table<Windowed<string>, Sale[]>
 * ```
 */
export function topK<V>(
  n: number,
  by: (value: V) => Comparable | null | undefined,
): Aggregate<V, Top<NonNullable<V>>, NonNullable<V>[]>
export function topK<V, T>(
  n: number,
  by: (value: V) => Comparable | null | undefined,
  of: (value: V) => T,
): Aggregate<V, Top<NonNullable<T>>, NonNullable<T>[]>
export function topK<K, V, R>(
  name: string,
  n: number,
  by: (value: V) => Comparable | null | undefined,
  options?: AggregateOptions,
): (grouped: Grouped<K, V, R>) => Table<R, NonNullable<V>[], Stream<K, V>>
export function topK<V>(
  ...args:
    | [n: number, by: By<V>, of?: (value: V) => unknown]
    | [name: string, n: number, by: By<V>, options?: AggregateOptions]
): unknown {
  if (typeof args[0] === 'number') {
    const [n, by, of] = args as [number, By<V>, ((value: V) => unknown)?]
    return of === undefined ? topKAggregate(n, by) : topKAggregate(n, by, of)
  }
  const [name, n, by, options] = args as [string, number, By<V>, AggregateOptions?]
  const top = topKAggregate(n, by)
  return (grouped: Grouped<unknown, V, unknown>) => aggregated('topK', name, grouped, top, () => top.state, options)
}

type By<V> = (value: V) => Comparable | null | undefined
