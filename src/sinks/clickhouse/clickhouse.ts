import type { SinkDefinition } from '../sink.ts'
import { type ClickHouseOptions, resolve } from './options.ts'

/**
 * Writes rows to a table in ClickHouse, exactly once in effect. Needs the package `@clickhouse/client`.
 *
 * **Upsert** (the default) is for results that change, such as windows: a row per key and window in a
 * ReplacingMergeTree, whose version is the offset of the newest record that went into it. Repeated and late batches
 * converge. ClickHouse replaces rows when it merges, so read with FINAL: `SELECT * FROM revenue FINAL`. Null deletes.
 *
 * **Append** keeps every record: a batch is the same inserts with the same deduplication tokens whenever it is written,
 * and the table remembers the last 10,000. A batch whose bad rows the *server* refused (a constraint, say) is
 * recognised only while it refuses the same rows.
 *
 * Values go into columns by name; numbers in columns of times are ms since 1970, or what the Avro schema says. Values
 * that do not fit their column are refused one by one. Opening throws `MISSING_DEPENDENCY`, `INVALID_OPTION`,
 * `MISSING_TABLE` (with the statement to run), `AUTHENTICATION_FAILED`, `NOT_AUTHORIZED` and `UNAVAILABLE`.
 *
 * @example
 * ```ts
 * revenue.pipe(toStream(), to(clickhouse({ table: 'revenue_per_minute', create: true })))
 * const columns = (_key: string, order: Order, { offset }: RowOrigin) => ({ ...order, offset })
 * orders.pipe(to(clickhouse({ table: 'orders', mode: 'append', columns })))
 * ```
 */
export function clickhouse<K, V>(options: ClickHouseOptions<K, V>): SinkDefinition<K, V> {
  const resolved = resolve(options)
  const name = `clickhouse:${options.table}`
  const { mode, create, evolve } = resolved
  const { database } = options
  return {
    kind: 'clickhouse',
    name,
    mode,
    parameters: { table: options.table, mode, create, evolve, ...(database !== undefined && { database }) },
    async open(context) {
      const { openSink } = await import('./sink.ts')
      return openSink(name, resolved, options, context)
    },
  }
}
