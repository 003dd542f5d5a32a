import type { Serde } from '../serde/serde.ts'
import { Grouped } from '../topology/grouped.ts'
import type { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

export interface GroupByOptions<K, V> {
  /** Required where the new key is not a string. */
  readonly key?: Serde<K>
  /** How values cross the repartition topic; default: as they were read, or as JSON where they have been mapped. */
  readonly value?: Serde<V>
}

/**
 * Groups records by a new key. The aggregation that follows is planned behind a repartition topic, named after it, with
 * Kafka's own partitioner, so that all records of a key meet in one task.
 *
 * A null key is left out before the repartition, not counted. Kafka Streams: `KStream#groupBy`.
 *
 * @example
 * ```ts
 * payments.pipe(groupBy((payment) => payment.category), count('payments-per-category'))
 * ```
 */
export function groupBy<K, V, K2 extends string>(
  key: (value: V, key: K) => K2 | null,
  options?: { readonly value?: Serde<V> },
): (stream: Stream<K, V>) => Grouped<K2, V, K2>
export function groupBy<K, V, K2>(
  key: (value: V, key: K) => K2 | null,
  options: { readonly key: Serde<K2>; readonly value?: Serde<V> },
): (stream: Stream<K, V>) => Grouped<K2, V, K2>
export function groupBy<K, V, K2>(
  select: (value: V, key: K) => K2 | null,
  options: GroupByOptions<K2, V> = {},
): (stream: Stream<K, V>) => Grouped<K2, V, K2> {
  return ({ input, serdes }) => {
    const keyed = follow(input, 'groupBy', (next) => (key: K, value: V, timestamp) => {
      next(select(value, key), value, timestamp)
    })
    return new Grouped(keyed, { key: options.key, value: options.value ?? serdes.value }, true)
  }
}
