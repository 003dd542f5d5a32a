import type { SinkDefinition } from '../sinks/sink.ts'
import type { Output } from '../topology/topology.ts'
import { late, type MayBeLate } from './late.ts'
import { type ToOptions, to } from './to.ts'

/**
 * Sends the records that came too late for a windowed operator to a topic or a sink: `late()`, then `to(…)`; see both.
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
