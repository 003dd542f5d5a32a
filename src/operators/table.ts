import { checkWhole } from '../options.ts'
import type { Serde } from '../serde/serde.ts'
import { node, out } from '../topology/node.ts'
import { Table } from '../topology/table.ts'
import { keptTable } from './tables/kept-table.ts'
import { versionedTable } from './tables/versioned-table.ts'

/** How the rows of a topic are read and kept. */
export interface TableOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Names the store: the identity of its state, and what `query` asks for. */
  readonly store: string
  /**
   * Keeps every row as of its time, this many ms back from the newest: joins with a stream then see the row as of the
   * stream record's time. Default: the latest row alone.
   */
  readonly historyRetention?: number
}

/**
 * Reads a topic as a table: the latest value per key, where a null value deletes the key.
 *
 * A row that cannot be decoded goes to the dead-letter topic (see `run`) and leaves the one before it in place.
 *
 * With `historyRetention` a row holds from its own timestamp on: rows may come out of order, and one that is late changes
 * the history, not the latest row, and goes to nobody.
 *
 * @ordering Rows apply in the order of their offsets, whatever their timestamps. Under `run` each changed key goes out
 * once per commit, with its latest value; in the topology driver each update does, a deletion of what is not there
 * included.
 * @state One entry per key (and version within the history) for as long as it is not deleted, with the changelog `<application>-<store>-changelog`. Two
 * tables of one topic are two states: give each a name.
 * @nulls A null key is dropped and counted. A null value deletes.
 * @late Without a history nothing is late. With one, a row older than the newest by more than the history is dropped
 * and counted as `expired`.
 * @kafkaStreams `StreamsBuilder#table`; with a history, versioned state stores (KIP-889).
 *
 * @marble
 * ```ts
 * table('ages', { key: string(), value: json<number>(), store: 'ages' })
 * ```
 * ```marbles
 * ages    | ada=36@5 | ada=35@2 | -=1@3    | ada=-@6
 * dropped |          |          | null-key |
 * out     | ada=36@5 | ada=35@2 |          | ada=-@6
 * ```
 *
 * @example
 * ```ts
 * const users = table('users', { key: string(), value: json<User>(), store: 'users' })
 * ```
 */
export function table<K, V>(topic: string, options: TableOptions<K, V>): Table<K, V> {
  const { key, value, store: name, historyRetention } = options
  if (historyRetention !== undefined) checkWhole('table', 'historyRetention', historyRetention, 0)
  const { spec, processor, ...traits } =
    historyRetention === undefined
      ? keptTable<K, V>(name, { key, value })
      : versionedTable<K, V>(options, historyRetention)
  const source = node({
    kind: 'table',
    name,
    source: { topic, key, value },
    parameters: { topic, key: key.format, value: value.format },
    stores: [spec],
    processor,
  })
  return new Table(out(source), { key, value }, { store: name, ...traits })
}
