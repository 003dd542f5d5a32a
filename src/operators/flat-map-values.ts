import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Turns each record into any number of records with the same key, in the order given.
 *
 * Each has the key, timestamp and headers of the record it came from. Keeps no state. Kafka Streams:
 * `KStream#flatMapValues`.
 *
 * @example
 * ```ts
 * lines.pipe(flatMapValues((line) => line.split(' ')))
 * ```
 */
export function flatMapValues<K, V, V2>(
  project: (value: V, key: K) => Iterable<V2>,
): (stream: Stream<K, V>) => Stream<K, V2> {
  return ({ input, serdes, rekeyed }) => {
    const mapped = follow(input, 'flatMapValues', (next) => (key: K, value: V, timestamp) => {
      for (const newValue of project(value, key)) next(key, newValue, timestamp)
    })
    return new Stream(mapped, { key: serdes.key }, rekeyed)
  }
}
