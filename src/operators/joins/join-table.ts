import { json, string } from '../../serde/index.ts'
import type { Serde } from '../../serde/serde.ts'
import { timeBuffer } from '../../state/time-buffer.ts'
import { node, out } from '../../topology/node.ts'
import { Stream } from '../../topology/stream.ts'
import type { Table } from '../../topology/table.ts'
import { legalName } from '../../topology/topology.ts'
import { partitionedByKey } from '../repartition.ts'
import { streamTableJoin } from './stream-table.ts'

export interface JoinTableOptions<K, V> {
  /** How the stream's keys are written where it is repartitioned or held back; default: as they were read. */
  readonly key?: Serde<K>
  /** How its values are; default: as they were read, or as JSON where they have been mapped. */
  readonly value?: Serde<V>
  /**
   * How long, in ms of the stream's time, a record waits for rows that come out of order before it is joined as of its own
   * time. Versioned tables only, and not longer than their history. Default: it does not wait.
   */
  readonly grace?: number
}

/** What the stream–table forms of `join` and `leftJoin` have in common. */
export function joinTable<K, V, W, R>(
  kind: 'join' | 'leftJoin',
  name: string,
  stream: Stream<K, V>,
  table: Table<K, W>,
  joiner: (value: V, row: W | null, key: K) => R,
  { grace = 0, ...serdes }: JoinTableOptions<K, V> = {},
): Stream<K, R> {
  const key: Serde<K> = serdes.key ?? stream.serdes.key ?? table.serdes.key ?? (string() as Serde<unknown> as Serde<K>)
  const value: Serde<V> = serdes.value ?? stream.serdes.value ?? json<V>()
  const { input } = partitionedByKey({ ...stream, serdes: { key, value } }, name)
  const buffer = grace > 0 ? { store: timeBuffer<K, V>({ name, key, value, parameters: { grace } }), grace } : undefined
  const joined = node({
    kind,
    name,
    inputs: [input, table.input],
    parameters: buffer ? { grace } : {},
    stores: buffer ? [buffer.store] : [],
    copartitioned: true,
    problems: problemsOf(kind, name, table, grace),
    processor: streamTableJoin({ left: kind === 'leftJoin', view: table.view!, joiner, buffer }),
  })
  return new Stream<K, R>(out(joined), { key })
}

function problemsOf(kind: string, name: string, { view, history }: Table<unknown, unknown>, grace: number): string[] {
  const problems: string[] = []
  if (!legalName(name)) problems.push(`it needs a name, which its topics are named after: ${kind}('my-name', table, …)`)
  if (!view) problems.push('the table keeps no rows to look up: end it with toTable(…)')
  if (!Number.isSafeInteger(grace) || grace < 0) problems.push(`grace is ${grace}: give a whole number of at least 0`)
  else if (grace > 0 && history === undefined) {
    problems.push('grace needs a versioned table, which knows its rows as of a time')
  } else if (history !== undefined && grace > history) {
    problems.push(`grace is ${grace}, and the table's history ${history}: rows would be gone when a record is joined`)
  }
  return problems
}
