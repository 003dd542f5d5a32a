import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Gives each record a new key and value. What needs the records by key afterwards repartitions them first; use
 * `mapValues` where the key stays.
 *
 * @ordering Within the task it stays; across a repartition that follows, per old partition. Timestamp and headers
 * stay.
 * @state None.
 * @nulls Reach `project` only where the serdes that the stream is read with are `nullable`; then as any other. It may
 * give a null key or value.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#map`.
 *
 * @marble
 * ```ts
 * words.pipe(map((word, key) => [word, key]))
 * ```
 * ```marbles
 * words | a=x@1 | b=y@2
 * out   | x=a@1 | y=b@2
 * ```
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
