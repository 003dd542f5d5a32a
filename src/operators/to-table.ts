import type { Serde } from '../serde/serde.ts'
import { node, out } from '../topology/node.ts'
import type { Stream } from '../topology/stream.ts'
import { Table } from '../topology/table.ts'
import { partitionedByKey } from './repartition.ts'
import { keptTable } from './tables/kept-table.ts'

export interface ToTableOptions<K, V> {
  /** Default: as the keys were read, or as strings where they have been changed. */
  readonly key?: Serde<K>
  /** Default: as the values were read, or as JSON where they have been mapped. */
  readonly value?: Serde<V>
}

/**
 * A table of the latest value per key of a stream; a null value deletes the key.
 *
 * As `table`, but for records that were worked on first: they are repartitioned if their key may have changed.
 *
 * @ordering Rows apply in order of arrival, whatever their timestamps.
 * @state One entry per key, with the changelog `<application>-<name>-changelog`.
 * @nulls A null key is dropped and counted, or left out before the repartition. A null value deletes.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#toTable`.
 *
 * @marble
 * ```ts
 * words.pipe(selectKey((word) => word[0]), toTable('latest'))
 * ```
 * ```marbles
 * words | a=xenon@1 | b=xylem@2 | b=yes@3
 * out   | x=xenon@1 | x=xylem@2 | y=yes@3
 * ```
 *
 * @example
 * ```ts
 * payments.pipe(selectKey((payment) => payment.user), toTable('last-payment'))   // Table<string, Payment>
 * ```
 */
export function toTable<K, V>(
  name: string,
  options: ToTableOptions<NonNullable<K>, NonNullable<V>> = {},
): (stream: Stream<K, V>) => Table<NonNullable<K>, NonNullable<V>> {
  return (stream) => {
    const wanted = { key: options.key ?? stream.serdes.key, value: options.value ?? stream.serdes.value }
    const { input, serdes } = partitionedByKey({ input: stream.input, serdes: wanted, rekeyed: stream.rekeyed }, name)
    const { spec, processor, view } = keptTable<NonNullable<K>, NonNullable<V>>(name, serdes)
    const kept = node({ kind: 'toTable', name, inputs: [input], stores: [spec], emitsResults: true, processor })
    return new Table(out(kept), serdes, { store: name, view })
  }
}
