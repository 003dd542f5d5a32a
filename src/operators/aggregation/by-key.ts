import type { Aggregate } from '../../aggregates/aggregate.ts'
import type { KeyValueStore } from '../../state/key-value-store.ts'
import type { ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import { results } from './results.ts'

/** Aggregation by key alone: null keys and values are dropped and counted; there is no such thing as late. */
export function byKey<K, V, A, R>(
  aggregate: Omit<Aggregate<V, A, R>, 'state'>,
  spec: StoreSpec<KeyValueStore<K, A>>,
): ProcessorFactory {
  return (context) => {
    const store = context.store(spec)
    const give = results<K, A, R>(context, aggregate, (entry) => entry.key)
    return {
      inputs: [
        (key: K, value: V, timestamp) => {
          if (key === null) return context.drop('null-key')
          if (value === null) return context.drop('null-value')
          const found = store.find(key)
          if (found !== undefined) give.before(found)
          // First what may throw: a key is there only with a record in it.
          const accumulator = aggregate.add(found === undefined ? aggregate.init() : found.value!, value, timestamp)
          const entry = found ?? store.create(key, accumulator, timestamp)
          if (timestamp > entry.timestamp) entry.timestamp = timestamp
          entry.value = accumulator
          if (accumulator === null) store.remove(entry)
          else store.touch(entry)
          give.after(entry)
        },
      ],
      flush: () => give.flush(store.changed()),
    }
  }
}
