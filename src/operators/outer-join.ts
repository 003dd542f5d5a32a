import type { Table } from '../topology/table.ts'
import { joinTables, type TableJoinOptions } from './joins/table-table.ts'

/**
 * Joins two tables by key: a row comes out for each key of either side, with null where the other has none.
 *
 * Otherwise as `join`. Kafka Streams: `KTable#outerJoin`.
 *
 * @example
 * ```ts
 * plan.pipe(outerJoin('deviations', actual, (planned, actual) => (actual ?? 0) - (planned ?? 0)))
 * ```
 */
export function outerJoin<K, V, W, R>(
  name: string,
  other: Table<K, W>,
  joiner: (left: V | null, right: W | null, key: K) => R | null,
  options?: TableJoinOptions<K, R>,
): (table: Table<K, V>) => Table<K, R> {
  return (table) => joinTables('outerJoin', name, table, other, joiner, options)
}
