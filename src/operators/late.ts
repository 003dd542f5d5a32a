import { node, out } from '../topology/node.ts'
import { Stream } from '../topology/stream.ts'
import { follow } from './follow.ts'

/** What late records can be had from: windowed aggregations and joins of streams; `K` and `V` are of what went in. */
export interface MayBeLate<out K, out V> {
  readonly late: Stream<K, V>
}

/**
 * The records that came too late for a windowed operator, as they went into it: counted as dropped all the same.
 *
 * A record is here once, and only if it is in no result at all: one that is late for some of its hopping or sliding
 * windows counts in the others, and is not here. So what is aggregated and what is late add up. Refused
 * (`INVALID_TOPOLOGY`) behind an aggregation without windows, where nothing is ever late. Behind a join of two streams: the
 * records of either that were too old to be kept; they have met what was there.
 *
 * @ordering The order in which they arrived. Key, timestamp and headers stay.
 * @state None.
 * @nulls Records with a null key are dropped, not late.
 * @late This is where they are.
 * @kafkaStreams None: late records are counted and gone. Flink: `sideOutputLateData`.
 *
 * @marble
 * ```ts
 * const counts = numbers.pipe(groupByKey(), windowedBy(tumbling(10)), count('n'))
 * counts.pipe(late())
 * ```
 * ```marbles
 * numbers | a=1@1 | a=2@12 | a=3@5
 * dropped |       |        | late
 * out     |       |        | a=3@5
 * ```
 *
 * @example
 * ```ts
 * const corrections = revenue.pipe(late(), mapValues((payment) => payment.amount))
 * ```
 */
export function late<K, V>(): (from: MayBeLate<K, V>) => Stream<K, V> {
  return ({ late: { input, serdes } }) =>
    new Stream(
      follow(input, 'late', (next) => next),
      serdes,
    )
}

/** The late records of a node, read by `late` and `lateTo`. */
export function lateOf<K, V>(of: Stream<K, V>['input']['node'], serdes: Stream<K, V>['serdes'], windowed: boolean) {
  if (windowed) return new Stream<K, V>(out(of, 'late'), serdes)
  const refused = node({
    kind: 'late',
    inputs: [out(of)],
    problems: ['nothing is late where there are no windows: put windowedBy(…) before the aggregation'],
    processor: () => ({ inputs: [() => {}] }),
  })
  return new Stream<K, V>(out(refused), serdes)
}
