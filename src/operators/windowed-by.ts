import type { Windowed } from '../record.ts'
import { Grouped } from '../topology/grouped.ts'
import type { Windows } from '../windows/windows.ts'

/**
 * Splits each group into windows of event time; what follows aggregates per key and window.
 *
 * @ordering Decided by the aggregation that follows.
 * @state None itself; see the aggregation that follows.
 * @nulls See the aggregation that follows: null keys are dropped and counted; tumbling and hopping windows hand null
 * values to the aggregate.
 * @late A record is dropped, and counted, for each window of it that has closed: time windows when stream time reaches
 * their end plus grace, sliding windows and sessions just after.
 * @kafkaStreams `KGroupedStream#windowedBy`, with `TimeWindows`, `SlidingWindows`, `SessionWindows`,
 * `UnlimitedWindows`.
 *
 * @marble
 * ```ts
 * numbers.pipe(groupByKey(), windowedBy(tumbling(10, { grace: 2 })), count('per-ten'))
 * ```
 * ```marbles
 * numbers | a=1@1       | a=1@9       | a=1@11        | a=1@8       | a=1@12        | a=1@9
 * dropped |             |             |               |             |               | late
 * out     | a[0,10)=1@1 | a[0,10)=2@9 | a[10,20)=1@11 | a[0,10)=3@9 | a[10,20)=2@12 |
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(groupByKey(), windowedBy(tumbling(minutes(1), { grace: seconds(10) })), count('per-minute'))
 * ```
 */
export function windowedBy<K, V>(windows: Windows): (grouped: Grouped<K, V, K>) => Grouped<K, V, Windowed<K>> {
  return ({ input, serdes, rekeyed, changes }) => new Grouped(input, serdes, rekeyed, windows, changes)
}
