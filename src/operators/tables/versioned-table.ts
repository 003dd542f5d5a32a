import { keep } from '../../aggregates/keep.ts'
import { type VersionedStore, versionedStore } from '../../state/versioned-store.ts'
import type { ProcessorContext, ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { TableView } from '../../topology/table.ts'
import type { TableOptions } from '../table.ts'

/** A table that keeps its rows as of any time within its history. */
export interface VersionedTable<K, V> {
  readonly spec: StoreSpec<VersionedStore<K, V>>
  readonly processor: ProcessorFactory
  readonly view: TableView<K, V>
  readonly history: number
}

export function versionedTable<K, V>(
  { key, value, store: name }: TableOptions<K, V>,
  historyRetention: number,
): VersionedTable<K, V> {
  const spec = versionedStore<K, V>({ name, key, value, historyRetention })
  return {
    spec,
    processor: (context) => keepVersions(context, spec),
    view: (context) => {
      const { latest, asOf } = context.store(spec)
      return (key, time) => (time === undefined ? latest(key) : asOf(key, time))
    },
    history: historyRetention,
  }
}

/** What follows sees the newest version alone: a row that was late changes the history and nothing else. */
function keepVersions<K, V>(context: ProcessorContext, spec: StoreSpec<VersionedStore<K, V>>) {
  const store = context.store(spec)
  const next = context.forward()
  const held = new Map<unknown, { readonly key: K; readonly old: V | null; timestamp: number }>()
  return {
    inputs: [
      (key: K, value: V | null, timestamp: number) => {
        if (key === null) return context.drop('null-key')
        const old = store.latest(key)?.value ?? null
        const did = store.put(key, keep(value), timestamp)
        if (did === 'expired') return context.drop('expired')
        if (did === 'history') return
        if (context.emit === 'update') return next(key, value, timestamp, old)
        const identity = typeof key === 'object' ? JSON.stringify(key) : key
        const waiting = held.get(identity)
        if (waiting) waiting.timestamp = timestamp
        else held.set(identity, { key, old, timestamp })
      },
    ],
    flush() {
      for (const { key, old, timestamp } of held.values()) {
        const now = store.latest(key)?.value ?? null
        if (old !== null || now !== null) next(key, now, timestamp, old)
      }
      held.clear()
      store.expire()
    },
  }
}
