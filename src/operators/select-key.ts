import type { Serde } from '../serde/serde.ts'
import type { Forward } from '../topology/processor.ts'
import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Gives each record a new key and keeps its value. What needs the records by key afterwards repartitions them first.
 *
 * A key that is not a string needs its serde.
 *
 * @ordering Within the task it stays; across a repartition that follows, per old partition. Timestamp and headers
 * stay.
 * @state None.
 * @nulls Reach `key` only where the serdes that the stream is read with are `nullable`; then as any other. A null key
 * that it gives is left out at the next repartition, not counted.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#selectKey`.
 *
 * @marble
 * ```ts
 * words.pipe(selectKey((word) => word))
 * ```
 * ```marbles
 * words | a=x@1 | b=y@2
 * out   | x=x@1 | y=y@2
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(selectKey((order) => order.customer))
 * ```
 */
export function selectKey<K, V, K2 extends string | null>(
  key: (value: V, key: K) => K2,
): (stream: Stream<K, V>) => Stream<K2, V>
export function selectKey<K, V, K2>(
  key: (value: V, key: K) => K2,
  options: { readonly key: Serde<K2> },
): (stream: Stream<K, V>) => Stream<K2, V>
export function selectKey<K, V, K2>(
  select: (value: V, key: K) => K2,
  options: { readonly key?: Serde<K2> } = {},
): (stream: Stream<K, V>) => Stream<K2, V> {
  return ({ input, serdes }) => {
    const rename = (next: Forward) => (key: K, value: V, timestamp: number) =>
      next(select(value, key), value, timestamp)
    const keyed = follow(input, 'selectKey', rename, { keepsValues: true })
    return new Stream(keyed, { key: options.key, value: serdes.value }, true)
  }
}
