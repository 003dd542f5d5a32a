import type { Table } from '../topology/table.ts'
import { joinByForeignKey } from './joins/foreign-key.ts'
import type { TableJoinOptions } from './joins/table-table.ts'

/**
 * Joins each row of a table with the row of another that it points at, or with null where there is none. Otherwise as
 * `foreignKeyJoin`.
 *
 * @ordering As `foreignKeyJoin`.
 * @state As `foreignKeyJoin`.
 * @nulls A row without a foreign key is joined with null, too. A deletion of the row deletes the result; one on the
 * other side joins it with null again.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KTable#leftJoin` with a foreign-key extractor.
 *
 * @marble
 * ```ts
 * cities.pipe(leftForeignKeyJoin('ages-by-city', ages, (city) => city, (city, age) => ({ city, age })))
 * ```
 * ```marbles
 * cities | ann=rome@1              |                         |
 * ages   |                         | rome=7@2                | rome=-@3
 * out    | ann={city:rome,age:-}@1 | ann={city:rome,age:7}@2 | ann={city:rome,age:-}@3
 * ```
 *
 * @example
 * ```ts
 * purchases.pipe(
 *   leftForeignKeyJoin(
 *     'purchases-with-user',
 *     users,
 *     (purchase) => purchase.userId,
 *     (purchase, user) => ({ ...purchase, name: user?.name }),
 *   ),
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
