import { type Aggregate, type AggregateRecord, combine, type Results } from '../aggregates/index.ts'
import type { StoreValue } from '../state/store.ts'
import type { Grouped } from '../topology/grouped.ts'
import { node } from '../topology/node.ts'
import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import { stateOf } from './aggregation/state-of.ts'
import { partitionedByKey } from './repartition.ts'

export interface AggregateOptions {
  /** How long a closed window stays in its store for queries, in ms of stream time. Default 0. */
  readonly retention?: number
}

/**
 * Aggregates each group, and each window of it after `windowedBy`: a record of built-in aggregates, or one of your own
 * (`custom(…)`).
 *
 * The name is the identity of the state. A result's timestamp is the highest in its window. Of a grouped table, rows
 * that change or go are taken out again, by the aggregate's `remove`; it is refused without one.
 *
 * @ordering Per key. Under `run` each changed entry goes out once per commit, in the order of its first change; in the
 * topology driver each update does.
 * @state One entry per key, for good; with windows one per key and open window, gone when the window has closed (and
 * `retention` has passed). Changelog `<application>-<name>-changelog`; if the key was changed,
 * `<application>-<name>-repartition`.
 * @nulls Null keys are dropped and counted; null values too, except in tumbling and hopping windows, which hand them
 * to the aggregate. An aggregate that becomes null deletes its entry.
 * @late Without windows nothing is late. With them, a record is dropped and counted for each window that has closed.
 * @kafkaStreams `aggregate` of `KGroupedStream`, `KGroupedTable`, `TimeWindowedKStream` and `SessionWindowedKStream`.
 *
 * @marble
 * ```ts
 * numbers.pipe(
 *   groupByKey(),
 *   windowedBy(tumbling(10)),
 *   aggregate('stats', { n: count(), total: sum((n) => n) }),
 * )
 * ```
 * ```marbles
 * numbers | a=3@1                   | a=4@9                   | b=1@9                   | a=5@12                    | a=1@8
 * dropped |                         |                         |                         |                           | late
 * out     | a[0,10)={n:1,total:3}@1 | a[0,10)={n:2,total:7}@9 | b[0,10)={n:1,total:1}@9 | a[10,20)={n:1,total:5}@12 |
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(
 *   groupBy((payment) => payment.category),
 *   windowedBy(tumbling(minutes(1), { grace: seconds(10) })),
 *   aggregate('revenue', { orders: count(), revenue: sum((payment) => payment.amount) }),
 * )   // Table<Windowed<string>, { orders: number, revenue: number }>
 * ```
 */
export function aggregate<K, V, R, S extends AggregateRecord<V> | AnyAggregate<V>>(
  name: string,
  aggregates: S,
  options?: AggregateOptions,
): (grouped: Grouped<K, V, R>) => Table<R, ResultOf<S>, Stream<K, V>> {
  const one = isAggregate(aggregates) ? aggregates : combine<V, AggregateRecord<V>>(aggregates)
  const { state } = one
  return (grouped) =>
    aggregated('aggregate', name, grouped, one as Aggregate<V, unknown, ResultOf<S>>, () => state, options)
}

// biome-ignore lint/suspicious/noExplicitAny: whatever it accumulates and gives
type AnyAggregate<V> = Aggregate<V, any, any>

/** The value that comes out: a field for each aggregate of a record, or what the one aggregate gives. */
export type ResultOf<S> = S extends Aggregate<never, infer _A, infer R> ? R : Results<S>

function isAggregate<V>(of: AnyAggregate<V> | AggregateRecord<V>): of is AnyAggregate<V> {
  return typeof of.init === 'function' && typeof of.add === 'function'
}

/** What `aggregate`, `count` and `reduce` have in common. */
export function aggregated<K, V, R, A, O>(
  kind: string,
  name: string,
  grouped: Grouped<K, V, R>,
  aggregate: Omit<Aggregate<V, A, O>, 'state'>,
  value: StoreValue<A>,
  { retention = 0 }: AggregateOptions = {},
): Table<R, O, Stream<K, V>> {
  const { input, serdes } = partitionedByKey(grouped, name, grouped.changes)
  const state = stateOf<K, A>(name, aggregate, grouped, serdes.key, value, retention)
  const aggregation = node({ ...state.node(kind), inputs: [input], processor: state.processor(aggregate) })
  return state.table<K, V, R, O>(aggregation, aggregate, serdes)
}
