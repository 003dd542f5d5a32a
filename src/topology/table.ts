import type { Input, Serdes } from './node.ts'
import { Pipeable } from './pipe.ts'

/**
 * The latest value per key: a stream of updates in which a null value deletes the key. Results of aggregations are
 * tables too; windowed ones are keyed by `Windowed<K>`.
 */
export class Table<out K, out V> extends Pipeable<Table<K, V>> {
  /** Only at compile time. */
  declare readonly types?: { readonly table: readonly [K, V] }
  readonly input: Input
  readonly serdes: Serdes
  /** The window's kind, where the keys are windowed: what final results are worked out from. */
  readonly windows: WindowTraits | undefined
  /** Name of the store behind it, where there is one to query or to join with. */
  readonly store: string | undefined

  constructor(input: Input, serdes: Serdes, traits: { windows?: WindowTraits; store?: string } = {}) {
    super()
    this.input = input
    this.serdes = serdes
    this.windows = traits.windows
    this.store = traits.store
  }
}

/** What of a window definition matters after the aggregation. */
export interface WindowTraits {
  readonly kind: string
  readonly grace: number
}
