import type { KeyValueStore } from '../../state/key-value-store.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { TableView } from '../../topology/table.ts'

/** Looks straight into a store whose values are the rows. */
export const storeView =
  <K, V>(spec: StoreSpec<KeyValueStore<K, V>>): TableView<K, V> =>
  (context) => {
    const store = context.store(spec)
    return (key) => {
      const entry = store.find(key)
      return entry && { value: entry.value!, timestamp: entry.timestamp }
    }
  }
