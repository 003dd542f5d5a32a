import type { Table } from '../topology/table.ts'
import { joinTables, type TableJoinOptions } from './joins/table-table.ts'

/**
 * Joins two tables by key: a row comes out for each of the left, with null where the right has none.
 *
 * Otherwise as `join`. Kafka Streams: `KTable#leftJoin`.
 *
 * @example
 * ```ts
 * users.pipe(leftJoin('profiles', addresses, (user, address) => ({ ...user, city: address?.city })))
 * ```
 */
export function leftJoin<K, V, W, R>(
  name: string,
  other: Table<K, W>,
  joiner: (left: V, right: W | null, key: K) => R | null,
  options?: TableJoinOptions<K, R>,
): (table: Table<K, V>) => Table<K, R> {
  return (table) => joinTables('leftJoin', name, table, other, (left, right, key) => joiner(left!, right, key), options)
}
