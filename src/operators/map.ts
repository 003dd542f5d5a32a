import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Gives each record a new key and value. What needs the records by key afterwards repartitions them first; use
 * `mapValues` where the key stays.
 *
 * Timestamp and headers stay, order within the task too. Keeps no state. Kafka Streams: `KStream#map`.
 *
 * @example
 * ```ts
 * orders.pipe(map((order) => [order.customer, order.total]))
 * ```
 */
export function map<K, V, K2, V2>(
  project: (value: V, key: K) => readonly [key: K2, value: V2],
): (stream: Stream<K, V>) => Stream<K2, V2> {
  return ({ input }) => {
    const mapped = follow(input, 'map', (next) => (key: K, value: V, timestamp) => {
      const [newKey, newValue] = project(value, key)
      next(newKey, newValue, timestamp)
    })
    return new Stream(mapped, {}, true)
  }
}
