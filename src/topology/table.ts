import type { AnySerde, Input, Serdes } from './node.ts'
import { Pipeable } from './pipe.ts'
import type { ProcessorContext } from './processor.ts'

/**
 * The latest value per key: a stream of updates in which a null value deletes the key. Results of aggregations are
 * tables too; windowed ones are keyed by `Windowed<K>`. `L` is the stream of the records that came too late for them.
 */
export class Table<out K, out V, out L = unknown> extends Pipeable<Table<K, V, L>> {
  /** Only at compile time. */
  declare readonly types?: { readonly table: readonly [K, V] }
  readonly input: Input
  readonly serdes: Serdes
  /** Where the one final result of each window comes out, if the table is windowed and its windows close. */
  readonly finals: Input | undefined
  /** Where the aggregation tells which windows have no final result yet. */
  readonly waiting: WaitingWindows | undefined
  /** Name of the store behind it, where it keeps one of its own. */
  readonly store: string | undefined
  /** Looks its rows up, for joins. */
  readonly view: AnyTableView | undefined
  /** How far back its rows are known as of a time, in ms; versioned tables only. */
  readonly history: number | undefined
  /** How its keys are written where operators keep them in stores of theirs, if that is known. */
  readonly storeKey: AnySerde | undefined
  /** See `late`. */
  readonly late: L

  constructor(input: Input, serdes: Serdes, traits: TableTraits<L> = {}) {
    super()
    this.input = input
    this.serdes = serdes
    this.finals = traits.finals
    this.waiting = traits.waiting
    this.store = traits.store
    this.view = traits.view
    this.history = traits.history
    this.storeKey = traits.storeKey ?? serdes.key
    this.late = traits.late as L
  }
}

export interface TableTraits<L = unknown> {
  readonly finals?: Input
  readonly waiting?: WaitingWindows
  readonly store?: string
  readonly view?: AnyTableView
  readonly history?: number
  readonly storeKey?: AnySerde
  readonly late?: L
}

/** Where an aggregation tells which windows wait for their close, and how the keys in its store are written. */
export interface WaitingWindows {
  readonly input: Input
  readonly key: AnySerde
}

/** A row that a table holds. */
export interface TableRow<out V> {
  readonly value: V
  /** Event time of the update that it is from, in ms. */
  readonly timestamp: number
}

/**
 * Opens a table for lookups in a task that runs it, as it stands after the last record that was processed; what is held
 * back until the commit is in it already. A row is valid until the next record. A versioned table gives its rows as of a time,
 * if it is told one; others give their latest.
 */
export type TableView<K, V> = (context: ProcessorContext) => (key: K, asOf?: number) => TableRow<V> | undefined

// biome-ignore lint/suspicious/noExplicitAny: a key goes in and a value comes out, which Table<out K, out V> cannot say
export type AnyTableView = TableView<any, any>
