import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Calls `look` with each record and hands it on unchanged; for logs and counters. It runs again for records that are
 * processed again after a failure: it is not part of any delivery guarantee.
 *
 * Order stays. Keeps no state. Kafka Streams: `KStream#peek`.
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
