import { type Aggregate, count } from '../../aggregates/index.ts'
import type { Windowed } from '../../record.ts'
import type { Serde } from '../../serde/serde.ts'
import { type KeyValueStore, keyValueStore } from '../../state/key-value-store.ts'
import type { Entry } from '../../state/store.ts'
import type { WindowStore } from '../../state/window-store.ts'
import type { ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { CountWindows } from '../../windows/count-windows.ts'
import { results } from './results.ts'
import { waitingWindows } from './waiting.ts'

/** How many records of each key there were, as Kafka's longs. */
export function positionStore<K>(name: string, key: Serde<K>): StoreSpec<KeyValueStore<K, number>> {
  return keyValueStore({ name: `${name}-positions`, key, value: () => count().state })
}

/** Aggregation in windows of so many records of a key. Nothing is late, and time plays no part. */
export function counted<K, V, A, R>(
  aggregate: Omit<Aggregate<V, A, R>, 'state'>,
  windows: CountWindows,
  spec: StoreSpec<WindowStore<K, A>>,
  positionSpec: StoreSpec<KeyValueStore<K, number>>,
): ProcessorFactory {
  return (context) => {
    const store = context.store(spec)
    const positions = context.store(positionSpec)
    const final = context.forward('final')
    const waiting = waitingWindows<Entry<K, A>>(context, store)
    const keyOf = ({ key, start }: Entry<K, A>): Windowed<K> => ({ key, window: { start, end: windows.endOf(start) } })
    const give = results<K, A, R>(context, aggregate, keyOf)
    let full: Entry<K, A>[] = []

    // One closure for the task, its arguments beside it, so that nothing is made per record.
    let current: { key: K; value: V; timestamp: number; position: number }
    const visit = (start: number, end: number) => {
      const { key, value, timestamp, position } = current
      const found = store.find(start, key)
      if (found !== undefined) give.before(found)
      const accumulator = aggregate.add(found === undefined ? aggregate.init() : found.value!, value, timestamp)
      const entry = found ?? store.create(start, key, accumulator, timestamp)
      if (timestamp > entry.timestamp) entry.timestamp = timestamp
      entry.value = accumulator
      if (accumulator === null) store.remove(entry)
      else store.touch(entry)
      give.after(entry)
      if (position !== end - 1 || accumulator === null) waiting?.changed(entry)
      else {
        waiting?.gone(entry)
        final(keyOf(entry), aggregate.result(accumulator), entry.timestamp)
        full.push(entry)
      }
    }
    const process = (key: K, value: V, timestamp: number) => {
      if (key === null) return context.drop('null-key')
      const counter = positions.find(key) ?? positions.create(key, 0, timestamp)
      current = { key, value, timestamp, position: counter.value! }
      windows.assign(current.position, visit)
      counter.value = current.position + 1
      counter.timestamp = timestamp
      positions.touch(counter)
      waiting?.settle()
    }
    return {
      inputs: [process],
      restored() {
        if (!waiting) return
        for (const entry of store.all() as Iterable<Entry<K, A>>) waiting.changed(entry)
        waiting.settle()
      },
      flush() {
        give.flush(store.changed())
        for (const entry of full) if (entry.value !== null) store.remove(entry)
        full = []
      },
    }
  }
}
