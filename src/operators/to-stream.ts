import { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'

/**
 * The updates of a table as a stream of records; a deletion is a record with value null.
 *
 * @ordering Per key. How many updates of a key come out between two commits depends on the runtime; the last one
 * always does.
 * @state None.
 * @nulls A null value is a deletion.
 * @late See the table.
 * @kafkaStreams `KTable#toStream`.
 *
 * @marble
 * ```ts
 * ages.pipe(toStream())
 * ```
 * ```marbles
 * ages | ada=36@1 | ada=37@2 | ada=-@3
 * out  | ada=36@1 | ada=37@2 | ada=-@3
 * ```
 *
 * @example
 * ```ts
 * revenue.pipe(toStream(), to('revenue', { key: windowed(string()), value: json() }))
 * ```
 */
export function toStream<K, V>(): (table: Table<K, V>) => Stream<K, V | null> {
  return ({ input, serdes }) => new Stream(input, serdes)
}
