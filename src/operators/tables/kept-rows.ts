import type { KeyValueStore } from '../../state/key-value-store.ts'
import type { ProcessorContext } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import { results } from '../aggregation/results.ts'

/** The rows of a table in a task: changes go into the store and on to whoever follows, as the task emits. */
export interface KeptRows<K, V> {
  /** Null deletes. False: it was to delete what is not there, and nothing has changed. */
  put(key: K, value: V | null, timestamp: number): boolean
  /** Gives out what was held back; call at a commit. */
  flush(): void
}

export function keptRows<K, V>(context: ProcessorContext, spec: StoreSpec<KeyValueStore<K, V>>): KeptRows<K, V> {
  const store = context.store(spec)
  const give = results<K, V, V>(context, { result: (value) => value }, (entry) => entry.key)
  return {
    put(key, value, timestamp) {
      const found = store.find(key)
      if (value === null) {
        if (found === undefined) return false
        give.before(found)
        found.timestamp = timestamp
        store.remove(found)
        give.after(found)
        return true
      }
      const entry = found ?? store.create(key, value, timestamp)
      give.before(entry)
      entry.value = value
      entry.timestamp = timestamp
      store.touch(entry)
      give.after(entry)
      return true
    },
    flush: () => give.flush(store.changed()),
  }
}
