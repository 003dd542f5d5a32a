import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Turns each record into any number of records, each with a key of its own, in the order given.
 *
 * Each has the timestamp and headers of the record it came from. Keeps no state. Kafka Streams: `KStream#flatMap`.
 *
 * @example
 * ```ts
 * baskets.pipe(flatMap((basket) => basket.items.map((item) => [item.sku, item])))
 * ```
 */
export function flatMap<K, V, K2, V2>(
  project: (value: V, key: K) => Iterable<readonly [key: K2, value: V2]>,
): (stream: Stream<K, V>) => Stream<K2, V2> {
  return ({ input }) => {
    const mapped = follow(input, 'flatMap', (next) => (key: K, value: V, timestamp) => {
      for (const [newKey, newValue] of project(value, key)) next(newKey, newValue, timestamp)
    })
    return new Stream(mapped, {}, true)
  }
}
