import type { Windowed } from '../record.ts'
import { Grouped } from '../topology/grouped.ts'
import type { Windows } from '../windows/windows.ts'

/**
 * Splits each group into windows of event time; what follows aggregates per key and window.
 *
 * Late records are dropped and counted, see each window's own page. Kafka Streams: `KGroupedStream#windowedBy`.
 *
 * @example
 * ```ts
 * grouped.pipe(windowedBy(tumbling(minutes(1), { grace: seconds(10) })), count('per-minute'))
 * ```
 */
export function windowedBy<K, V>(windows: Windows): (grouped: Grouped<K, V, K>) => Grouped<K, V, Windowed<K>> {
  return ({ input, serdes, rekeyed, changes }) => new Grouped(input, serdes, rekeyed, windows, changes)
}
