import type { Serde } from '../serde/serde.ts'
import { Grouped } from '../topology/grouped.ts'
import type { Forward } from '../topology/processor.ts'
import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'
import type { Rows } from './rows.ts'
import { regroup } from './tables/regroup.ts'

export interface GroupByOptions<K, V> {
  /** Required where the new key is not a string. */
  readonly key?: Serde<K>
  /** How values cross the repartition topic; default: as they were read, or as JSON where they have been mapped. */
  readonly value?: Serde<V>
}

export interface ProjectingGroupByOptions<K, V, V2> {
  readonly value?: Serde<V2>
  /** What of a value crosses the repartition topic and is aggregated. Default: the value as it is. */
  readonly project: (value: V, key: K) => V2
}

/**
 * Groups the records of a stream, or the rows of a table, by a new key. The aggregation that follows is planned behind
 * a repartition topic, named after it, with Kafka's own partitioner, so that all records of a key meet in one task.
 *
 * The rows of a table cross with the row they replace: a row that moves to another group leaves the old one first, and
 * the aggregation needs a `remove`. A row's functions are called with old rows as well and must depend on their
 * arguments alone.
 *
 * A value of a stream that was only filtered, split, merged or given another key crosses as the bytes that it was read from:
 * what `key` changes in it does not cross.
 *
 * @ordering Per key and upstream task.
 * @state None itself: the topic `<application>-<name of the aggregation>-repartition`, trimmed as it is read.
 * @nulls A null key is left out before the repartition, not counted.
 * @late Each upstream task has a lane of time of its own: a record is late by the time of its lane.
 * @kafkaStreams `KStream#groupBy`, `KTable#groupBy`.
 *
 * @marble
 * ```ts
 * words.pipe(groupBy((word) => word), count('per-word'))
 * ```
 * ```marbles
 * words | a=x@1 | b=x@2 | a=y@3
 * out   | x=1@1 | x=2@2 | y=1@3
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(groupBy((payment) => payment.category), count('payments-per-category'))
 * users.pipe(groupBy((user) => user.country), count('users-per-country'))   // users is a table
 * ```
 */
export function groupBy<K, V, K2 extends string, V2>(
  key: (value: V, key: K) => K2 | null,
  options: ProjectingGroupByOptions<K, V, V2>,
): (input: Rows<K, V>) => Grouped<K2, V2, K2>
export function groupBy<K, V, K2, V2>(
  key: (value: V, key: K) => K2 | null,
  options: ProjectingGroupByOptions<K, V, V2> & { readonly key: Serde<K2> },
): (input: Rows<K, V>) => Grouped<K2, V2, K2>
export function groupBy<K, V, K2 extends string>(
  key: (value: V, key: K) => K2 | null,
  options?: { readonly value?: Serde<V> },
): (input: Rows<K, V>) => Grouped<K2, V, K2>
export function groupBy<K, V, K2>(
  key: (value: V, key: K) => K2 | null,
  options: { readonly key: Serde<K2>; readonly value?: Serde<V> },
): (input: Rows<K, V>) => Grouped<K2, V, K2>
export function groupBy<K, V, K2, V2>(
  select: (value: V, key: K) => K2 | null,
  options: Partial<ProjectingGroupByOptions<K, V, V2>> & { readonly key?: Serde<K2> } = {},
): (input: Rows<K, V>) => Grouped<K2, V2, K2> {
  return (input) => {
    const { project } = options
    const serdes = { key: options.key, value: options.value ?? (project ? undefined : input.serdes.value) }
    if (!(input instanceof Stream)) {
      return new Grouped(regroup(input, select, project), serdes, true, undefined, true)
    }
    const group = (next: Forward) => (key: K, value: V, timestamp: number) =>
      next(select(value, key), project ? project(value, key) : value, timestamp)
    const keyed = follow(input.input, 'groupBy', group, { keepsValues: !project })
    return new Grouped(keyed, serdes, true)
  }
}
