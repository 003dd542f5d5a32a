import { keep } from '../../aggregates/keep.ts'
import type { Serde } from '../../serde/serde.ts'
import { type KeyValueStore, keyValueStore } from '../../state/key-value-store.ts'
import { serdeValue } from '../../state/store.ts'
import type { ProcessorContext, ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { TableView } from '../../topology/table.ts'
import { keptRows } from './kept-rows.ts'
import { storeView } from './store-view.ts'

/** A table that keeps the rows it is given: the store, the processor that fills it, and how others look into it. */
export interface KeptTable<K, V> {
  readonly spec: StoreSpec<KeyValueStore<K, V>>
  readonly processor: ProcessorFactory
  readonly view: TableView<K, V>
}

export function keptTable<K, V>(
  name: string,
  serdes: { readonly key: Serde<K>; readonly value: Serde<V> },
): KeptTable<K, V> {
  const spec = keyValueStore<K, V>({ name, key: serdes.key, value: serdeValue(serdes.value) })
  return { spec, processor: (context) => keepRows(context, spec), view: storeView(spec) }
}

function keepRows<K, V>(context: ProcessorContext, spec: StoreSpec<KeyValueStore<K, V>>) {
  const rows = keptRows(context, spec)
  const next = context.forward()
  // As in Kafka Streams, a deletion of what is not there is an update, too: joins give their result anew, with its timestamp.
  // Where updates are held back it changes nothing; and joins must not look at rows whose turn is still to come.
  const atOnce = context.emit === 'update'
  return {
    inputs: [
      (key: K, value: V | null, timestamp: number) => {
        if (key === null) context.drop('null-key')
        else if (!rows.put(key, keep(value), timestamp) && atOnce) next(key, null, timestamp, null)
      },
    ],
    flush: rows.flush,
  }
}
