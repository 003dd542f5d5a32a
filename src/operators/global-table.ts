import { globalStore } from '../state/global-store.ts'
import { GlobalTable } from '../topology/global-table.ts'
import type { TableOptions } from './table.ts'

/**
 * Reads a topic as a table that every instance holds whole, for joins by any key: countries, prices, settings.
 *
 * All partitions are read before the tasks start, and followed from then on: updates are seen as they arrive, whatever
 * the time of the records that are joined, and are not part of the commit. A row that cannot be decoded is skipped and
 * logged, unless the policy is to fail: every instance reads it at every start, so that none sends it to the dead
 * letters.
 *
 * @ordering Rows apply in the order of their partition.
 * @state One entry per key, in memory, in every instance; no changelog, the topic is (it should be compacted).
 * @nulls A null value deletes, a null key is left out.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `StreamsBuilder#globalTable`.
 *
 * @marble
 * ```ts
 * numbers.pipe(
 *   join(
 *     globalTable('names', { key: string(), value: json<string>(), store: 'names' }),
 *     (_, key) => key,
 *     (n, name) => `${name} has ${n}`,
 *   ),
 * )
 * ```
 * ```marbles
 * names   | a=ada@50 |                 |       | a=ann@3
 * numbers |          | a=1@1           | b=2@2 | a=3@3
 * out     |          | a="ada has 1"@1 |       | a="ann has 3"@3
 * ```
 *
 * @example
 * ```ts
 * const countries = globalTable('countries', { key: string(), value: json<{ name: string }>(), store: 'countries' })
 * visits.pipe(join(countries, (visit) => visit.country, (visit, country) => ({ ...visit, name: country.name })))
 * ```
 */
export function globalTable<K, V>(
  topic: string,
  { key, value, store }: Omit<TableOptions<K, V>, 'historyRetention'>,
): GlobalTable<K, V> {
  return new GlobalTable({ topic, key, value, spec: globalStore<K, V>(store, key) })
}
