import { node, out } from '../topology/node.ts'
import type { Forward, ProcessorContext } from '../topology/processor.ts'
import { Stream } from '../topology/stream.ts'
import { type AnyTableView, Table } from '../topology/table.ts'
import { follow } from './follow.ts'
import type { Like, Rows } from './rows.ts'

/**
 * Keeps the records of a stream, or the rows of a table, for which `test` is true.
 *
 * In a table, a row that passed before and does not any more, or is deleted, is deleted here too; one that never passed
 * leaves no trace. `test` is called with old values as well and must depend on its arguments alone.
 *
 * @ordering Stays, as do key, timestamp and headers.
 * @state None; of a table, the store upstream is read.
 * @nulls Reach `test` only where the serdes that the stream is read with are `nullable`; then as any other. A null
 * value in a table is a deletion and is not tested.
 * @late Time plays no part. What is left out is not counted, and does not move stream time downstream.
 * @kafkaStreams `KStream#filter`, `KTable#filter`; `filterNot` is `filter` with `!`.
 *
 * @marble
 * ```ts
 * numbers.pipe(filter((n) => n > 1))
 * ```
 * ```marbles
 * numbers | a=1@1 | a=3@2 b=2@3 | a=0@4
 * out     |       | a=3@2 b=2@3 |
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(filter((payment) => payment.status === 'completed'))
 * ```
 */
export function filter<K, V, V2 extends V, In extends Rows<K, V> = Stream<K, V>>(
  test: (value: V, key: K) => value is V2,
): (input: In & Rows<K, V>) => Like<In, K, V2>
export function filter<K, V, In extends Rows<K, V> = Stream<K, V>>(
  test: (value: V, key: K) => boolean,
): (input: In & Rows<K, V>) => Like<In, K, V>
export function filter<K, V>(test: (value: V, key: K) => boolean): (input: Rows<K, V>) => Rows<K, V> {
  return (input) => (input instanceof Table ? filterTable(input, test) : filterStream(input, test))
}

function filterStream<K, V>({ input, serdes, rekeyed }: Stream<K, V>, test: (value: V, key: K) => boolean) {
  const choose = (next: Forward) => (key: K, value: V, timestamp: number) => {
    if (test(value, key)) next(key, value, timestamp)
  }
  const kept = follow(input, 'filter', choose, { keepsValues: true })
  return new Stream<K, V>(kept, serdes, rekeyed)
}

function filterTable<K, V>({ input, serdes, view, history }: Table<K, V>, test: (value: V, key: K) => boolean) {
  const process = (next: Forward): Forward<K, V | null> => {
    const passed = (key: K, value: V | null | undefined): V | null =>
      value !== null && value !== undefined && test(value, key) ? value : null
    return (key, value, timestamp, old) => {
      const before = passed(key, old)
      const now = passed(key, value)
      if (before !== null || now !== null) next(key, now, timestamp, before)
    }
  }
  /** Lookups that find what passes. */
  const look = (open: AnyTableView) => (context: ProcessorContext) => {
    const find = open(context)
    return (key: K, asOf?: number) => {
      const row = find(key, asOf)
      return row !== undefined && test(row.value, key) ? row : undefined
    }
  }
  const kept = node({
    kind: 'filter',
    inputs: [input],
    wantsOld: true,
    processor: (context) => ({ inputs: [process(context.forward())] }),
  })
  return new Table<K, V>(out(kept), serdes, {
    history,
    view: view && look(view),
  })
}
