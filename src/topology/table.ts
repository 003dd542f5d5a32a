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
  /** Where the one final result of each window comes out, if the table is windowed and its windows close. */
  readonly finals: Input | undefined
  /** Name of the store behind it, where there is one to query or to join with. */
  readonly store: string | undefined

  constructor(input: Input, serdes: Serdes, traits: TableTraits = {}) {
    super()
    this.input = input
    this.serdes = serdes
    this.finals = traits.finals
    this.store = traits.store
  }
}

export interface TableTraits {
  readonly finals?: Input
  readonly store?: string
}
