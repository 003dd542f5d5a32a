import { node, out } from '../topology/node.ts'
import { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import { follow } from './follow.ts'

/**
 * The one final result of each window, when stream time has passed its end and grace; nothing before.
 *
 * Final is final: each window comes out exactly once, in the order of window end and serialised key, with the timestamp
 * of its newest record. Keeps no state of its own: it reads that of the aggregation. What is still open stays there
 * until time moves on. Kafka Streams: `KTable#suppress(untilWindowCloses(unbounded()))`, `EmitStrategy.onWindowClose()`.
 *
 * @example
 * ```ts
 * revenue.pipe(untilWindowCloses(), to(clickhouse({ table: 'revenue' })))
 * ```
 */
export function untilWindowCloses<K, V>(): (table: Table<K, V>) => Stream<K, V> {
  return ({ finals, input, serdes }) => {
    if (finals)
      return new Stream(
        follow(finals, 'untilWindowCloses', (next) => next),
        serdes,
      )
    const problem = 'only windows that end can close: use it behind an aggregation with windowedBy(…), not unlimited'
    const refused = node({
      kind: 'untilWindowCloses',
      inputs: [input],
      problems: [problem],
      processor: () => ({ inputs: [] }),
    })
    return new Stream(out(refused), serdes)
  }
}
