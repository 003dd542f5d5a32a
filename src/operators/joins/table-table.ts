import { json, string } from '../../serde/index.ts'
import type { Serde } from '../../serde/serde.ts'
import { type KeyValueStore, keyValueStore } from '../../state/key-value-store.ts'
import { serdeValue } from '../../state/store.ts'
import { node, out } from '../../topology/node.ts'
import type { ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import { type AnyTableView, Table, type TableRow } from '../../topology/table.ts'
import { keptRows } from '../tables/kept-rows.ts'
import { storeView } from '../tables/store-view.ts'

/** How the results of a join of tables are kept. */
export interface TableJoinOptions<K, R> {
  /** Default: as the keys of the left table are read. Results of windows need it: `windowed(…)`. */
  readonly key?: Serde<K>
  /** Default: `json()`. */
  readonly value?: Serde<R>
}

/** Which rows come out without a partner: none, those of the left, or all. */
export type TableJoinKind = 'join' | 'leftJoin' | 'outerJoin'

/**
 * Join of two tables by key. Every change of either side works the row out anew from what both sides hold, and the store of
 * results knows what it was: so a deletion comes out exactly where there was a result, and old values are right however
 * many changes of both sides fall into one commit.
 */
export function joinTables<K, V, W, R>(
  kind: TableJoinKind,
  name: string,
  left: Table<K, V>,
  right: Table<K, W>,
  joiner: (left: V | null, right: W | null, key: K) => R | null,
  options: TableJoinOptions<K, R> = {},
): Table<K, R> {
  const key: Serde<K> = options.key ?? left.serdes.key ?? right.serdes.key ?? (string() as Serde<unknown> as Serde<K>)
  const spec = keyValueStore<K, R>({ name, key, value: serdeValue(options.value ?? json<R>()) })
  const inputs = left.input.node === right.input.node ? [left.input] : [left.input, right.input]
  const joined = node({
    kind,
    name,
    inputs,
    parameters: { key: key.format },
    stores: [spec],
    copartitioned: true,
    emitsResults: true,
    problems: problemsOf(left, right, options),
    processor: recompute(kind, inputs.length, spec, left.view!, right.view!, joiner),
  })
  return new Table<K, R>(out(joined), { key, value: options.value }, { store: name, view: storeView(spec) })
}

function recompute<K, V, W, R>(
  kind: TableJoinKind,
  inputs: number,
  spec: StoreSpec<KeyValueStore<K, R>>,
  left: AnyTableView,
  right: AnyTableView,
  joiner: (left: V | null, right: W | null, key: K) => R | null,
): ProcessorFactory {
  return (context) => {
    const findLeft: (key: K) => TableRow<V> | undefined = left(context)
    const findRight: (key: K) => TableRow<W> | undefined = right(context)
    const rows = keptRows(context, spec)
    const next = context.forward()
    // As in Kafka Streams: where each update goes out, a deletion on one side gives one whatever was there before.
    const repeatsDeletions = kind === 'join' && context.emit === 'update'
    const changed = (key: K, value: unknown, timestamp: number) => {
      const l = findLeft(key)
      const r = findRight(key)
      const matched =
        kind === 'join'
          ? l !== undefined && r !== undefined
          : l !== undefined || (kind === 'outerJoin' && r !== undefined)
      const newest = Math.max(timestamp, l?.timestamp ?? -1, r?.timestamp ?? -1)
      const put = rows.put(key, matched ? joiner(l ? l.value : null, r ? r.value : null, key) : null, newest)
      if (!put && repeatsDeletions && value === null && (l ?? r) !== undefined) next(key, null, newest, null)
    }
    return { inputs: new Array(inputs).fill(changed), flush: rows.flush }
  }
}

/** What can be seen before it runs: rows that could never meet, and tables that cannot be looked into. */
function problemsOf(
  left: Table<unknown, unknown>,
  right: Table<unknown, unknown>,
  options: { readonly key?: unknown },
): string[] {
  const problems: string[] = []
  const [a, b] = [left.serdes.key?.format, right.serdes.key?.format]
  if (a !== undefined && b !== undefined && a !== b) {
    problems.push(
      `the keys of its tables are written differently (${a}, ${b}), so that equal keys lie in different partitions: write one side anew with selectKey(…, { key }) and toTable(…)`,
    )
  }
  if (!left.view || !right.view) problems.push('one of its tables keeps no rows to look up: end it with toTable(…)')
  if (!options.key && a === undefined && b === undefined && (left.finals || right.finals)) {
    problems.push('it joins results of windows and must know their keys: give { key: windowed(…) }')
  }
  return problems
}
