import type { Serde } from '../serde/serde.ts'
import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Gives each record a new key and keeps its value. What needs the records by key afterwards repartitions them first.
 *
 * A key that is not a string needs its serde. Order, timestamp and headers stay. Keeps no state. Kafka Streams:
 * `KStream#selectKey`.
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
    const keyed = follow(input, 'selectKey', (next) => (key: K, value: V, timestamp) => {
      next(select(value, key), value, timestamp)
    })
    return new Stream(keyed, { key: options.key, value: serdes.value }, true)
  }
}
