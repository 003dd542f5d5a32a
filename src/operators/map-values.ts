import type { ProcessorContext } from '../topology/processor.ts'
import { Stream } from '../topology/stream.ts'
import { type AnyTableView, Table } from '../topology/table.ts'
import { follow } from './follow.ts'
import type { Like, Rows } from './rows.ts'

/**
 * Gives each record of a stream, or each row of a table, a new value. The key stays, so nothing is repartitioned.
 *
 * Throw a `RejectedRecord` to send the record to the dead-letter topic instead. In a table, `project` may be called
 * again with a value that it has seen: it must depend on its arguments alone.
 *
 * @ordering Stays, as do key, timestamp and headers.
 * @state None.
 * @nulls Reach `project` only where the serdes that the stream is read with are `nullable`; then as any other. In a
 * table, deletions pass as they are.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#mapValues`, `KTable#mapValues`.
 *
 * @marble
 * ```ts
 * numbers.pipe(mapValues((n) => n * 10))
 * ```
 * ```marbles
 * numbers | a=1@1  | b=2@2  | a=3@3
 * out     | a=10@1 | b=20@2 | a=30@3
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(mapValues((payment) => ({ ...payment, cents: Math.round(payment.amount * 100) })))
 * ```
 */
export function mapValues<K, V, V2, In extends Rows<K, V> = Stream<K, V>>(
  project: (value: V, key: K) => V2,
): (input: In & Rows<K, V>) => Like<In, K, V2>
export function mapValues<K, V, V2>(project: (value: V, key: K) => V2): (input: Rows<K, V>) => Rows<K, V2> {
  return (input) => (input instanceof Table ? mapTable(input, project) : mapStream(input, project))
}

function mapStream<K, V, V2>({ input, serdes, rekeyed }: Stream<K, V>, project: (value: V, key: K) => V2) {
  const mapped = follow(input, 'mapValues', (next) => (key: K, value: V, timestamp) => {
    next(key, project(value, key), timestamp)
  })
  return new Stream<K, V2>(mapped, { key: serdes.key }, rekeyed)
}

function mapTable<K, V, V2>({ input, serdes, view, history }: Table<K, V>, project: (value: V, key: K) => V2) {
  const mapped = follow(input, 'mapValues', (next, { wantsOld }) => {
    const of = (key: K, value: V | null | undefined): V2 | null =>
      value === null || value === undefined ? null : project(value, key)
    return (key: K, value: V | null, timestamp, old) => {
      next(key, of(key, value), timestamp, wantsOld ? of(key, old) : undefined)
    }
  })
  const look = (open: AnyTableView) => (context: ProcessorContext) => {
    const find = open(context)
    return (key: K, asOf?: number) => {
      const row = find(key, asOf)
      return row && { value: project(row.value, key), timestamp: row.timestamp }
    }
  }
  return new Table<K, V2>(mapped, { key: serdes.key }, { history, view: view && look(view) })
}
