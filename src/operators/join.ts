import type { Table } from '../topology/table.ts'
import { joinTables, type TableJoinOptions } from './joins/table-table.ts'

/**
 * Joins two tables by key: a row comes out where both have one.
 *
 * A change on either side works the row out anew; when a side goes away the result is deleted. Rows apply in order of
 * arrival, whatever their timestamps; a result, a deletion too, has the higher timestamp of both sides. A joiner that
 * returns null gives no row. Both topics must have the same number of partitions (checked at the start). State: one entry
 * per result, with the changelog `<application>-<name>-changelog`. Kafka Streams: `KTable#join`.
 *
 * @example
 * ```ts
 * users.pipe(join('profiles', addresses, (user, address) => ({ ...user, ...address })))   // Table<string, …>
 * ```
 */
export function join<K, V, W, R>(
  name: string,
  other: Table<K, W>,
  joiner: (left: V, right: W, key: K) => R | null,
  options?: TableJoinOptions<K, R>,
): (table: Table<K, V>) => Table<K, R> {
  return (table) => joinTables('join', name, table, other, (left, right, key) => joiner(left!, right!, key), options)
}
