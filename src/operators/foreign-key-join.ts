import type { Table } from '../topology/table.ts'
import { joinByForeignKey } from './joins/foreign-key.ts'
import type { TableJoinOptions } from './joins/table-table.ts'

/**
 * Joins each row of a table with the row of another that it points at: orders with their customer.
 *
 * `foreignKey` gives the key in the other table; a row without one (null) is dropped and counted, and its result deleted.
 * A change of the other table changes the results of all rows that point at it. Rows need not be partitioned alike:
 * subscriptions and answers cross two internal topics, so that a result may come a commit or two after its rows; an
 * answer to a row that has changed meanwhile is dropped and counted as `stale`. A result has the higher timestamp of both
 * rows, or that of the other table's row where that changed. Both functions must depend on their arguments alone; left
 * values must be plain data.
 *
 * State: the results (`<application>-<name>-changelog`), and on the other side who points where
 * (`<application>-<name>-subscriptions-changelog`). Kafka Streams: `KTable#join` with a foreign-key extractor.
 *
 * @example
 * ```ts
 * payments.pipe(
 *   toTable('latest-payments'),
 *   foreignKeyJoin('payers', users, (payment) => payment.user, (payment, user) => ({ ...payment, country: user.country })),
 * )
 * ```
 */
export function foreignKeyJoin<K, V, F, W, R>(
  name: string,
  other: Table<F, W>,
  foreignKey: (value: NoInfer<V>, key: NoInfer<K>) => NoInfer<F> | null,
  joiner: (left: NoInfer<V>, right: NoInfer<W>, key: NoInfer<K>) => R,
  options?: TableJoinOptions<K, NonNullable<R>>,
): (table: Table<K, V>) => Table<K, NonNullable<R>> {
  const join = (left: V, right: W | null, key: K) => (joiner(left, right!, key) ?? null) as NonNullable<R> | null
  return (table) => joinByForeignKey('foreignKeyJoin', name, table, other, foreignKey, join, options)
}
