import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/**
 * Gives each record a new value. The key stays, so nothing is repartitioned.
 *
 * Throw a `RejectedRecord` to send the record to the dead-letter topic instead. Order, key, timestamp and headers stay.
 * Keeps no state. Kafka Streams: `KStream#mapValues`.
 *
 * @example
 * ```ts
 * payments.pipe(mapValues((payment) => ({ ...payment, cents: Math.round(payment.amount * 100) })))
 * ```
 */
export function mapValues<K, V, V2>(project: (value: V, key: K) => V2): (stream: Stream<K, V>) => Stream<K, V2> {
  return ({ input, serdes, rekeyed }) => {
    const mapped = follow(input, 'mapValues', (next) => (key: K, value: V, timestamp) => {
      next(key, project(value, key), timestamp)
    })
    return new Stream(mapped, { key: serdes.key }, rekeyed)
  }
}
