import { last } from '../aggregates/index.ts'
import type { Windowed } from '../record.ts'
import { Grouped } from '../topology/grouped.ts'
import { Stream } from '../topology/stream.ts'
import { tumbling } from '../windows/index.ts'
import { aggregated } from './aggregate.ts'
import { follow } from './follow.ts'

export interface SampleOptions {
  /** How long a period waits for records that are out of order, in ms. Default 0. */
  readonly grace?: number
}

/**
 * The last record of each key in every period of event time, when stream time has passed the period's end and grace.
 *
 * Periods begin at multiples of `every`, as tumbling windows do. Last is the highest timestamp; of equal ones the one
 * that arrived last. A key that has no record in a period gives none. If the key has changed the stream is
 * repartitioned. Throws `INVALID_OPTION` for an `every` below 1.
 *
 * @ordering Period, then serialised key. Each record comes out with its own timestamp, without headers.
 * @state One value per key and open period, which must be plain data (see `custom`).
 * @nulls Null keys and values are dropped and counted.
 * @late Records of a period that is over are late: dropped, counted.
 * @kafkaStreams None. RxJS: `sampleTime`, in event time.
 *
 * @marble
 * ```ts
 * numbers.pipe(sample('per-ten', 10))
 * ```
 * ```marbles
 * numbers | a=1@1 | a=2@5 b=3@6 | a=4@11      | a=5@20
 * out     |       |             | a=2@5 b=3@6 | a=4@11
 * ```
 *
 * @example
 * ```ts
 * positions.pipe(sample('position-per-minute', minutes(1), { grace: seconds(5) }))
 * ```
 */
export function sample<K, V>(
  name: string,
  every: number,
  { grace = 0 }: SampleOptions = {},
): (stream: Stream<K, V>) => Stream<K, V> {
  const newest = last<NonNullable<V>>()
  const windows = tumbling(every, { grace })
  return ({ input, serdes, rekeyed }) => {
    const present = follow(input, 'sample', (next, context) => (key: K, value: V, timestamp) => {
      if (value === null) context.drop('null-value')
      else next(key, value, timestamp)
    })
    const grouped = new Grouped<K, NonNullable<V>, Windowed<K>>(present, serdes, rekeyed, windows)
    const { finals } = aggregated('sample', name, grouped, newest, () => newest.state)
    const plain = follow(finals!, 'sample', (next) => ({ key }: Windowed<K>, value: V, timestamp) => {
      next(key, value, timestamp)
    })
    return new Stream(plain, serdes)
  }
}
