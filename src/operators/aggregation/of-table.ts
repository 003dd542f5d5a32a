import type { Aggregate } from '../../aggregates/aggregate.ts'
import type { Change } from '../../serde/changed.ts'
import type { KeyValueStore } from '../../state/key-value-store.ts'
import type { ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import { results } from './results.ts'

/**
 * Aggregation of the rows of a table: each update takes the old row out and puts the new one in, and gives one result. A
 * group whose rows have all gone keeps its entry, as in Kafka Streams (KTableAggregate): only an aggregate that becomes
 * null is deleted.
 */
export function ofTable<K, V, A, R>(
  aggregate: Omit<Aggregate<V, A, R>, 'state'>,
  spec: StoreSpec<KeyValueStore<K, A>>,
): ProcessorFactory {
  return (context) => {
    const store = context.store(spec)
    const give = results<K, A, R>(context, aggregate, (entry) => entry.key)
    return {
      inputs: [
        (key: K, { old, now }: Change<V>, timestamp) => {
          const found = store.find(key)
          // What was never put in cannot be taken out.
          if (found === undefined && now === null) return
          if (found !== undefined) give.before(found)
          // First what may throw: a group is there only with a row in it.
          let accumulator: A | null = found === undefined ? null : found.value
          if (found !== undefined && old !== null) accumulator = aggregate.remove!(accumulator!, old, timestamp)
          if (now !== null) accumulator = aggregate.add(accumulator ?? aggregate.init(), now, timestamp)
          const entry = found ?? store.create(key, accumulator!, timestamp)
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
