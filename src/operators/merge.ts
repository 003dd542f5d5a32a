import { node, out } from '../topology/node.ts'
import { Stream } from '../topology/stream.ts'

/**
 * Puts the records of several streams into one.
 *
 * @ordering The order within each stream stays; between them, each task takes the record with the lowest timestamp
 * among those at hand.
 * @state None.
 * @nulls Pass.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#merge`. RxJS: `merge`.
 *
 * @marble
 * ```ts
 * numbers.pipe(merge(others))
 * ```
 * ```marbles
 * numbers | a=1@1 |        | a=2@3
 * others  |       | a=10@2 |
 * out     | a=1@1 | a=10@2 | a=2@3
 * ```
 *
 * @example
 * ```ts
 * const all = webOrders.pipe(merge(shopOrders, phoneOrders))
 * ```
 */
export function merge<K, V>(...others: readonly Stream<K, V>[]): (stream: Stream<K, V>) => Stream<K, V> {
  return (stream) => {
    const streams = [stream, ...others]
    const merged = node({
      kind: 'merge',
      inputs: streams.map(({ input }) => input),
      keepsValues: true,
      processor: (context) => {
        const next = context.forward()
        return { inputs: streams.map(() => (key, value, timestamp) => next(key, value, timestamp)) }
      },
    })
    const same = (part: 'key' | 'value') =>
      streams.every((other) => other.serdes[part] === stream.serdes[part]) ? stream.serdes[part] : undefined
    return new Stream(
      out(merged),
      { key: same('key'), value: same('value') },
      streams.some(({ rekeyed }) => rekeyed),
    )
  }
}
