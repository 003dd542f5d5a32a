import type { SinkDefinition } from '../sinks/sink.ts'
import type { Output } from '../topology/topology.ts'
import { late, type MayBeLate } from './late.ts'
import { type ToOptions, to } from './to.ts'

/**
 * Sends the records that came too late for a windowed operator to a topic or a sink: `late()`, then `to(…)`; see both.
 *
 * @ordering The order in which they arrived. Key, timestamp and headers stay.
 * @state None.
 * @nulls Records with a null key are dropped, not late.
 * @late This is where they go. They are counted as dropped all the same.
 * @kafkaStreams None. Flink: `sideOutputLateData` with a sink.
 *
 * @marble
 * ```ts
 * const counts = numbers.pipe(groupByKey(), windowedBy(tumbling(10)), count('n'))
 * counts.pipe(lateTo('late-numbers', { key: string(), value: json() }))
 * ```
 * ```marbles
 * numbers      | a=1@1 | a=2@12 | a=3@5
 * dropped      |       |        | late
 * late-numbers |       |        | a=3@5
 * ```
 *
 * @example
 * ```ts
 * topology('shop', [
 *   revenue.pipe(untilWindowCloses(), to('revenue', { key: windowed(string()), value: json() })),
 *   revenue.pipe(lateTo('late-payments', { key: string(), value: json() })),
 * ])
 * ```
 */
export function lateTo<K, V>(topic: string, options: NoInfer<ToOptions<K, V>>): (from: MayBeLate<K, V>) => Output
export function lateTo<K, V>(sink: NoInfer<SinkDefinition<K, NonNullable<V>>>): (from: MayBeLate<K, V>) => Output
export function lateTo<K, V>(
  target: string | SinkDefinition<K, NonNullable<V>>,
  options?: ToOptions<K, V>,
): (from: MayBeLate<K, V>) => Output {
  return (from) => {
    const records = late<K, V>()(from)
    return typeof target === 'string'
      ? records.pipe(to(target, options as ToOptions<K, V>))
      : records.pipe(to(target as SinkDefinition<K, NonNullable<V>>))
  }
}
