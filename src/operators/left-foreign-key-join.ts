import type { Table } from '../topology/table.ts'
import { joinByForeignKey } from './joins/foreign-key.ts'
import type { TableJoinOptions } from './joins/table-table.ts'

/**
 * Joins each row of a table with the row of another that it points at, or with null where there is none.
 *
 * A row without a foreign key is joined with null, too. Otherwise as `foreignKeyJoin`. Kafka Streams: `KTable#leftJoin`
 * with a foreign-key extractor.
 *
 * @example
 * ```ts
 * payments.pipe(
 *   toTable('latest-payments'),
 *   leftForeignKeyJoin('payers', users, (payment) => payment.user, (payment, user) => ({ ...payment, country: user?.country })),
 * )
 * ```
 */
export function leftForeignKeyJoin<K, V, F, W, R>(
  name: string,
  other: Table<F, W>,
  foreignKey: (value: NoInfer<V>, key: NoInfer<K>) => NoInfer<F> | null,
  joiner: (left: NoInfer<V>, right: NoInfer<W> | null, key: NoInfer<K>) => R,
  options?: TableJoinOptions<K, NonNullable<R>>,
): (table: Table<K, V>) => Table<K, NonNullable<R>> {
  const join = (left: V, right: W | null, key: K) => (joiner(left, right, key) ?? null) as NonNullable<R> | null
  return (table) => joinByForeignKey('leftForeignKeyJoin', name, table, other, foreignKey, join, options)
}
