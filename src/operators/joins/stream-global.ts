import type { GlobalStore } from '../../state/global-store.ts'
import type { GlobalTable } from '../../topology/global-table.ts'
import { node, out } from '../../topology/node.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import { Stream } from '../../topology/stream.ts'

/** Join of a stream with a global table: a lookup per record, by any key (Kafka Streams: KStreamGlobalKTableJoin). */
export function joinGlobal<K, V, F, W, R>(
  kind: 'join' | 'leftJoin',
  stream: Stream<K, V>,
  table: GlobalTable<F, W>,
  keyOf: (value: V, key: K) => F | null,
  joiner: (value: V, row: W | null, key: K) => R,
): Stream<K, R> {
  const { source } = table
  const joined = node({
    kind,
    inputs: [stream.input],
    parameters: { globalTable: source.topic },
    globals: [source],
    processor: (context) => {
      const next = context.forward()
      const store = context.store(source.spec as StoreSpec<GlobalStore<F, W>>)
      return {
        inputs: [
          (key: K, value: V, timestamp) => {
            if (value === null) return context.drop('null-value')
            const of = keyOf(value, key)
            if (of === null && kind === 'join') return context.drop('null-key')
            const row = of === null ? undefined : store.find(of)
            if (row !== undefined) next(key, joiner(value, row.value, key), timestamp)
            else if (kind === 'leftJoin') next(key, joiner(value, null, key), timestamp)
          },
        ],
      }
    },
  })
  return new Stream<K, R>(out(joined), { key: stream.serdes.key }, stream.rekeyed)
}
