import { type Aggregate, count as countAggregate } from '../aggregates/index.ts'
import type { Grouped } from '../topology/grouped.ts'
import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import { type AggregateOptions, aggregated } from './aggregate.ts'

/**
 * Without a name, the aggregate that counts, for use in `aggregate`. With a name, the operator that counts each group
 * (and window).
 *
 * As an operator it is `aggregate(name, count())`.
 *
 * @ordering As `aggregate`.
 * @state As `aggregate`; the changelog holds Kafka's own longs.
 * @nulls As `aggregate`; a null value in a tumbling or hopping window counts.
 * @late As `aggregate`.
 * @kafkaStreams `count`.
 *
 * @marble
 * ```ts
 * numbers.pipe(groupByKey(), windowedBy(sliding(10)), count('near'))
 * ```
 * ```marbles
 * numbers | a=0@12       | a=0@20
 * out     | a[2,12]=1@12 | a[13,23]=1@20 a[10,20]=2@20
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(groupByKey(), count('payments-per-user'))   // Table<string, number>
 * ```
 */
export function count(): Aggregate<unknown, number, number>
export function count<K, V, R>(
  name: string,
  options?: AggregateOptions,
): (grouped: Grouped<K, V, R>) => Table<R, number, Stream<K, V>>
export function count<K, V, R>(
  name?: string,
  options?: AggregateOptions,
): Aggregate<unknown, number, number> | ((grouped: Grouped<K, V, R>) => Table<R, number, Stream<K, V>>) {
  if (name === undefined) return countAggregate()
  const counter = countAggregate()
  return (grouped) => aggregated<K, V, R, number, number>('count', name, grouped, counter, () => counter.state, options)
}
