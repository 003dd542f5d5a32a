import { globalStore } from '../state/global-store.ts'
import { GlobalTable } from '../topology/global-table.ts'
import type { TableOptions } from './table.ts'

/**
 * Reads a topic as a table that every instance holds whole, for joins by any key: countries, prices, settings.
 *
 * All partitions are read before the tasks start, and followed from then on: updates are seen as they arrive, whatever the
 * time of the records that are joined, and are not part of the commit. A null value deletes, a null key is left out. A
 * row that cannot be decoded is skipped and logged, unless the policy is to fail: every instance reads it at every start, so
 * that none sends it to the dead letters.
 *
 * State: one entry per key, in memory; no changelog, the topic is (it should be compacted). Kafka Streams:
 * `StreamsBuilder#globalTable`.
 *
 * @example
 * ```ts
 * const rates = globalTable('rates', { key: string(), value: json<number>(), store: 'rates' })
 * payments.pipe(join(rates, (payment) => payment.category, (payment, rate) => payment.amount * rate))
 * ```
 */
export function globalTable<K, V>(
  topic: string,
  { key, value, store }: Omit<TableOptions<K, V>, 'historyRetention'>,
): GlobalTable<K, V> {
  return new GlobalTable({ topic, key, value, spec: globalStore<K, V>(store, key) })
}
