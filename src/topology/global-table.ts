import type { AnySerde } from './node.ts'
import type { StoreSpec } from './store-spec.ts'

/** A topic that every instance reads whole. */
export interface GlobalSource {
  readonly topic: string
  readonly key: AnySerde
  readonly value: AnySerde
  /** Filled by the runtime, shared by all tasks of a worker. */
  readonly spec: StoreSpec
}

/** The latest value per key of all partitions of a topic, on every instance. Made by `globalTable(topic, …)`. */
export class GlobalTable<out K, out V> {
  /** Only at compile time. */
  declare readonly types?: { readonly global: readonly [K, V] }
  readonly source: GlobalSource

  constructor(source: GlobalSource) {
    this.source = source
  }
}
