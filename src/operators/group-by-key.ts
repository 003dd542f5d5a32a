import { Grouped } from '../topology/grouped.ts'
import type { Stream } from '../topology/stream.ts'

/**
 * Groups records by the key they have. They are repartitioned only if the key may have changed since they were read.
 *
 * @ordering Stays, per key; behind a repartition per key and upstream task.
 * @state None itself; see the aggregation that follows.
 * @nulls Null keys are dropped by the aggregation and counted, or left out at the repartition.
 * @late Decided by the windows of the aggregation that follows.
 * @kafkaStreams `KStream#groupByKey`.
 *
 * @marble
 * ```ts
 * numbers.pipe(groupByKey(), count('per-key'))
 * ```
 * ```marbles
 * numbers | a=1@1 | b=2@2 | a=3@3
 * out     | a=1@1 | b=1@2 | a=2@3
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(groupByKey(), count('payments-per-user'))
 * ```
 */
export function groupByKey<K, V>(): (stream: Stream<K, V>) => Grouped<K, V, K> {
  return ({ input, serdes, rekeyed }) => new Grouped(input, serdes, rekeyed)
}
