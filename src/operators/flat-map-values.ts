import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Turns each record into any number of records with the same key, in the order given.
 *
 * @ordering As given. Each record has the key, timestamp and headers of the one it came from.
 * @state None.
 * @nulls Reach `project` only where the serdes that the stream is read with are `nullable`; then as any other.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#flatMapValues`.
 *
 * @marble
 * ```ts
 * words.pipe(flatMapValues((word) => [...word]))
 * ```
 * ```marbles
 * words | a=xy@1      | a=z@2
 * out   | a=x@1 a=y@1 | a=z@2
 * ```
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
