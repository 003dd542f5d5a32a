import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Keeps the records for which `test` is true. The rest are not counted, and do not move stream time downstream.
 *
 * Order, key, timestamp and headers stay. Keeps no state. Kafka Streams: `KStream#filter`.
 *
 * @example
 * ```ts
 * payments.pipe(filter((payment) => payment.status === 'completed'))
 * ```
 */
export function filter<K, V, V2 extends V>(
  test: (value: V, key: K) => value is V2,
): (stream: Stream<K, V>) => Stream<K, V2>
export function filter<K, V>(test: (value: V, key: K) => boolean): (stream: Stream<K, V>) => Stream<K, V>
export function filter<K, V>(test: (value: V, key: K) => boolean): (stream: Stream<K, V>) => Stream<K, V> {
  return ({ input, serdes, rekeyed }) => {
    const kept = follow(input, 'filter', (next) => (key: K, value: V, timestamp) => {
      if (test(value, key)) next(key, value, timestamp)
    })
    return new Stream(kept, serdes, rekeyed)
  }
}
