import { MillraceError } from '../errors.ts'
import { checkWhole } from '../options.ts'
import { json } from '../serde/index.ts'
import { keyValueStore } from '../state/key-value-store.ts'
import { node, out } from '../topology/node.ts'
import { Table } from '../topology/table.ts'
import { boundsOf, describeBounds } from './suppression/bounds.ts'
import { type Buffered, bufferedState, timeLimit } from './suppression/time-limit.ts'

export interface TimeLimitOptions {
  /** Identity of the buffer, whose changelog is named after it. Default: the aggregation's name with `-time-limit`. */
  readonly name?: string
  /** At most this many keys (and windows) are held back. Default: no bound. */
  readonly maxRecords?: number
  /** At most this many bytes are held back, keys and values as they are in the changelog. Default: no bound. */
  readonly maxBytes?: number
  /**
   * What happens when a bound is passed: `'emit'` (default) gives the oldest out early until it holds, `'stop'` stops the
   * application with `BUFFER_FULL`, whatever the policy for failing records.
   */
  readonly whenFull?: 'emit' | 'stop'
}

/**
 * Holds the updates of each key back until `limit` ms of stream time have passed since the first of them, and gives out
 * the last one only: a key comes out at most once every `limit` ms of stream time.
 *
 * Time is the highest timestamp of the updates that get here: while none come, nothing comes out. Values must be plain
 * data (see `custom`). Throws `INVALID_OPTION`.
 *
 * @ordering The time of the first update that was held back, then serialised key; each with the timestamp of its last
 * update.
 * @state What is held back, one update per key, in a store with a changelog: it survives a restart.
 * @nulls A deletion is an update as any other.
 * @late Nothing is: an update with an old timestamp is held back from that time on, and so comes out sooner.
 * @kafkaStreams `KTable#suppress(Suppressed.untilTimeLimit(…))`.
 *
 * @marble
 * ```ts
 * ages.pipe(untilTimeLimit(10))
 * ```
 * ```marbles
 * ages | ada=36@1 | ada=37@5 bob=1@6 | ada=38@11 | bob=2@16
 * out  |          |                  | ada=38@11 | bob=2@16
 * ```
 *
 * @example
 * ```ts
 * totals.pipe(untilTimeLimit(seconds(10), { maxRecords: 100_000 }), toStream(), to('totals', { key: string(), value: json() }))
 * ```
 */
export function untilTimeLimit<K, V>(
  limit: number,
  options: TimeLimitOptions = {},
): (table: Table<K, V>) => Table<K, V> {
  const { whenFull = 'emit' } = options
  checkWhole('untilTimeLimit', 'limit', limit, 0)
  const bounds = boundsOf('untilTimeLimit', options)
  if (whenFull !== 'emit' && whenFull !== 'stop') {
    throw new MillraceError('INVALID_OPTION', `untilTimeLimit: whenFull is ${String(whenFull)}`, {
      hint: "give 'emit' or 'stop'",
    })
  }
  return ({ input, serdes, store: upstream, storeKey }) => {
    const name = options.name ?? (upstream === undefined ? '' : `${upstream}-time-limit`)
    const parameters = { limit, ...describeBounds(options), whenFull }
    const key = storeKey ?? serdes.key ?? json<K>()
    const buffer = keyValueStore<K, Buffered<V>>({ name, key, value: () => bufferedState(), parameters })
    const held = node({
      kind: 'untilTimeLimit',
      name,
      inputs: [input],
      parameters,
      stores: [buffer],
      wantsOld: true,
      processor: timeLimit(buffer, key, limit, { ...bounds, whenFull }),
    })
    return new Table<K, V>(out(held), serdes, { storeKey })
  }
}
