import { checkWhole } from '../../options.ts'
import { node, out } from '../../topology/node.ts'
import { Stream } from '../../topology/stream.ts'
import { partitionedByKey } from '../repartition.ts'
import { passedStore, spaced } from './spaced.ts'

/**
 * At most one record per key in any `every` ms of event time: one that passes silences its key for so long. Use
 * `sample` to get the last record of each period instead of the first.
 *
 * What is held back is gone, and counted (`reason="throttled"`). If the key has changed the stream is repartitioned.
 * Throws `INVALID_OPTION` for an `every` below 1.
 *
 * @ordering Stays, as do key, timestamp and headers.
 * @state One timestamp per key, for three times `every` of stream time.
 * @nulls Null keys are dropped and counted.
 * @late A record may be out of order by `every`: it passes if none that is less than `every` away has; later ones are
 * dropped and counted as late.
 * @kafkaStreams None. RxJS: `throttleTime`, in event time.
 *
 * @marble
 * ```ts
 * numbers.pipe(throttle('calm', 10))
 * ```
 * ```marbles
 * numbers | a=1@1 | a=2@5     | b=3@6 | a=4@11
 * dropped |       | throttled |       |
 * out     | a=1@1 |           | b=3@6 | a=4@11
 * ```
 *
 * @example
 * ```ts
 * alerts.pipe(throttle('calm-alerts', minutes(5)))
 * ```
 */
export function throttle<K, V>(name: string, every: number): (stream: Stream<K, V>) => Stream<K, V> {
  checkWhole(`throttle '${name}'`, 'every', every, 1)
  return (stream) => {
    const { input, serdes } = partitionedByKey(stream, name)
    const spec = passedStore<unknown>(name, serdes.key, { every })
    return new Stream(
      out(
        node({
          kind: 'throttle',
          name,
          inputs: [input],
          parameters: { every },
          stores: [spec],
          recordsOnly: true,
          processor: spaced({ spec, gap: every, idOf: (_, key) => key, withoutId: 'null-key', reason: 'throttled' }),
        }),
      ),
      stream.serdes,
    )
  }
}
