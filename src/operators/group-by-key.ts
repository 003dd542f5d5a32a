import { Grouped } from '../topology/grouped.ts'
import type { Stream } from '../topology/stream.ts'

/**
 * Groups records by the key they have. They are repartitioned only if the key may have changed since they were read.
 *
 * Kafka Streams: `KStream#groupByKey`.
 *
 * @example
 * ```ts
 * payments.pipe(groupByKey(), count('payments-per-user'))
 * ```
 */
export function groupByKey<K, V>(): (stream: Stream<K, V>) => Grouped<K, V, K> {
  return ({ input, serdes, rekeyed }) => new Grouped(input, serdes, rekeyed)
}
