import type { Windowed } from '../record.ts'
import { node, out } from '../topology/node.ts'
import { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import { follow } from './follow.ts'
import { boundsOf, describeBounds } from './suppression/bounds.ts'
import { windowBounds } from './suppression/window-bounds.ts'

export interface UntilWindowClosesOptions {
  /** At most this many windows, of all keys of a task, wait for their close. Default: no bound. */
  readonly maxRecords?: number
  /** At most this many bytes wait, keys and accumulators as they are in the changelog. Default: no bound. */
  readonly maxBytes?: number
}

/**
 * The one final result of each window, when stream time has passed its end and grace; nothing before.
 *
 * Final is final: each window comes out exactly once. What is still open stays there until time moves on. Refused, when
 * the topology is planned, behind what never closes.
 *
 * With `maxRecords` or `maxBytes`, the application stops with `BUFFER_FULL` when more waits in a task than that, whatever
 * the policy for failing records; what was committed stays. A result given early would not be final, so there is no
 * `whenFull: 'emit'` as `untilTimeLimit` has it. Throws `INVALID_OPTION`.
 *
 * @ordering Window end, then serialised key. The timestamp is that of the newest record in the window.
 * @state None of its own: windows wait in the store of the aggregation.
 * @nulls See the aggregation.
 * @late Late records are dropped by the aggregation and counted: they cannot change what is final.
 * @kafkaStreams `KTable#suppress(untilWindowCloses(…))` with a `StrictBufferConfig`, `EmitStrategy.onWindowClose()`.
 *
 * @marble
 * ```ts
 * numbers.pipe(groupByKey(), windowedBy(tumbling(10, { grace: 2 })), count('n'), untilWindowCloses())
 * ```
 * ```marbles
 * numbers | a=1@1 b=1@2 | a=1@10 | a=1@9 | b=1@12
 * out     |             |        |       | a[0,10)=2@9 b[0,10)=1@2
 * ```
 *
 * @example
 * ```ts
 * revenue.pipe(untilWindowCloses(), to(clickhouse({ table: 'revenue' })))
 * ```
 */
export function untilWindowCloses<K, V>(
  options: UntilWindowClosesOptions = {},
): (table: Table<Windowed<K>, V>) => Stream<Windowed<K>, V> {
  const bounds = boundsOf('untilWindowCloses', options)
  const bounded = options.maxRecords !== undefined || options.maxBytes !== undefined
  return ({ finals, waiting, input, serdes }) => {
    if (finals && waiting && bounded) {
      const closed = node({
        kind: 'untilWindowCloses',
        inputs: [finals, waiting.input],
        parameters: describeBounds(options),
        processor: windowBounds(waiting.key, bounds),
      })
      return new Stream(out(closed), serdes)
    }
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
