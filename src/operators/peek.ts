import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Calls `look` with each record and hands it on unchanged; for logs and counters. It runs again for records that are
 * processed again after a failure: it is not part of any delivery guarantee. For where a record came from (topic,
 * partition, offset) and its headers see `process`.
 *
 * @ordering Stays, as do key, timestamp and headers.
 * @state None.
 * @nulls Reach `look` only where the serdes that the stream is read with are `nullable`; then as any other.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#peek`; `foreach` is `process` without an output.
 *
 * @marble
 * ```ts
 * numbers.pipe(peek(() => {}))
 * ```
 * ```marbles
 * numbers | a=1@1 | b=2@2
 * out     | a=1@1 | b=2@2
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(peek((payment, key) => console.log(key, payment)))
 * ```
 */
export function peek<K, V>(
  look: (value: V, key: K, timestamp: number) => void,
): (stream: Stream<K, V>) => Stream<K, V> {
  return ({ input, serdes, rekeyed }) => {
    const seen = follow(input, 'peek', (next) => (key: K, value: V, timestamp) => {
      look(value, key, timestamp)
      next(key, value, timestamp)
    })
    return new Stream(seen, serdes, rekeyed)
  }
}
