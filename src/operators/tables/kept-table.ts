import { keep } from '../../aggregates/keep.ts'
import type { Serde } from '../../serde/serde.ts'
import { type KeyValueStore, keyValueStore } from '../../state/key-value-store.ts'
import { serdeValue } from '../../state/store.ts'
import type { ProcessorContext, ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { TableView } from '../../topology/table.ts'
import { results } from '../aggregation/results.ts'

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

/** Looks straight into a store whose values are the rows. */
const storeView =
  <K, V>(spec: StoreSpec<KeyValueStore<K, V>>): TableView<K, V> =>
  (context) => {
    const store = context.store(spec)
    return (key) => {
      const entry = store.find(key)
      return entry && { value: entry.value!, timestamp: entry.timestamp }
    }
  }

function keepRows<K, V>(context: ProcessorContext, spec: StoreSpec<KeyValueStore<K, V>>) {
  const store = context.store(spec)
  const give = results<K, V, V>(context, { result: (value) => value }, (entry) => entry.key)
  return {
    inputs: [
      (key: K, value: V | null, timestamp: number) => {
        if (key === null) return context.drop('null-key')
        const found = store.find(key)
        if (value === null) {
          if (found === undefined) return
          give.before(found)
          found.timestamp = timestamp
          store.remove(found)
          give.after(found)
          return
        }
        const entry = found ?? store.create(key, value, timestamp)
        give.before(entry)
        entry.value = keep(value)
        entry.timestamp = timestamp
        store.touch(entry)
        give.after(entry)
      },
    ],
    flush: () => give.flush(store.changed()),
  }
}
