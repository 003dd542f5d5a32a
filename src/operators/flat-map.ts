import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Turns each record into any number of records, each with a key of its own, in the order given.
 *
 * @ordering As given, within the task; across a repartition that follows, per old partition. Each record has the
 * timestamp and headers of the one it came from.
 * @state None.
 * @nulls Reach `project` only where the serdes that the stream is read with are `nullable`; then as any other. It may
 * give null keys and values.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#flatMap`.
 *
 * @marble
 * ```ts
 * words.pipe(flatMap((word, key) => [[word, 1], [key, 2]]))
 * ```
 * ```marbles
 * words | a=x@1       | b=y@2
 * out   | x=1@1 a=2@1 | y=1@2 b=2@2
 * ```
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
