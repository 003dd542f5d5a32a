import type { Aggregate } from '../../aggregates/aggregate.ts'
import type { Windowed } from '../../record.ts'
import type { KeyValueStore } from '../../state/key-value-store.ts'
import type { SlidingStore } from '../../state/sliding-store.ts'
import type { Entry } from '../../state/store.ts'
import type { WindowStore } from '../../state/window-store.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { TableView } from '../../topology/table.ts'

type ResultOf<A, R> = Pick<Aggregate<never, A, R>, 'result'>

/** Lookups into the results of an aggregation; `find` finds the entry of a result's key. */
function resultView<S, K, A, R>(
  spec: StoreSpec<S>,
  { result }: ResultOf<A, R>,
  find: (store: S, key: K) => Entry<unknown, A> | undefined,
): TableView<K, R> {
  return (context) => {
    const store = context.store(spec)
    return (key) => {
      const entry = find(store, key)
      return entry && { value: result(entry.value!), timestamp: entry.timestamp }
    }
  }
}

export const viewByKey = <K, A, R>(spec: StoreSpec<KeyValueStore<K, A>>, aggregate: ResultOf<A, R>) =>
  resultView(spec, aggregate, (store, key: K) => store.find(key))

export const viewByWindow = <K, A, R>(spec: StoreSpec<WindowStore<K, A>>, aggregate: ResultOf<A, R>) =>
  resultView(spec, aggregate, (store, { key, window }: Windowed<K>) => store.find(window.start, key))

export const viewBySlidingWindow = <K, A, R>(spec: StoreSpec<SlidingStore<K, A>>, aggregate: ResultOf<A, R>) =>
  resultView(spec, aggregate, (store, { key, window }: Windowed<K>) => store.find(window.start, key))
