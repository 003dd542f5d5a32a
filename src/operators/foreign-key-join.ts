import type { Table } from '../topology/table.ts'
import { joinByForeignKey } from './joins/foreign-key.ts'
import type { TableJoinOptions } from './joins/table-table.ts'

/**
 * Joins each row of a table with the row of another that it points at: orders with their customer.
 *
 * `foreignKey` gives the key in the other table. A change of the other table changes the results of all rows that point
 * at it. Rows need not be partitioned alike: subscriptions and answers cross two internal topics, so that a result may
 * come a commit or two after its rows; an answer to a row that has changed meanwhile is dropped and counted as `stale`.
 * Both functions must depend on their arguments alone; left values must be plain data.
 *
 * @ordering Per row of the left table. A result has the higher timestamp of both rows, or that of the other table's
 * row where that changed.
 * @state The results (`<application>-<name>-changelog`), and on the other side who points where
 * (`<application>-<name>-subscriptions-changelog`), until the row is deleted.
 * @nulls A row without a foreign key (null) is dropped and counted, and its result deleted. A deletion on either side
 * deletes the result.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KTable#join` with a foreign-key extractor.
 *
 * @marble
 * ```ts
 * cities.pipe(foreignKeyJoin('ages-by-city', ages, (city) => city, (city, age) => ({ city, age })))
 * ```
 * ```marbles
 * cities | ann=rome@1 |                         | bob=rome@3              |                                                 | ann=-@5
 * ages   |            | rome=7@2                |                         | rome=8@4                                        |
 * out    |            | ann={city:rome,age:7}@2 | bob={city:rome,age:7}@3 | ann={city:rome,age:8}@4 bob={city:rome,age:8}@4 | ann=-@5
 * ```
 *
 * @example
 * ```ts
 * purchases.pipe(
 *   foreignKeyJoin(
 *     'purchases-with-user',
 *     users,
 *     (purchase) => purchase.userId,
 *     (purchase, user) => ({ ...purchase, name: user.name }),
 *   ),
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
