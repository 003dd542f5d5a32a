import type { Codec, RecordPart, Serde } from '../serde/serde.ts'
import type { DiskState, DiskTable, TimelineTable } from './disk-table.ts'

/** A store as the plan knows it: pure data, and how it is made in a task. `S` is what the operator gets. */
export interface StoreSpec<out S = unknown> {
  /** Identity of the state: the changelog topic is named after it. */
  readonly name: string
  /** 'key-value', 'window', 'session' … */
  readonly kind: string
  /** For `describe`. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** false: nothing to restore (the state can be made anew). */
  readonly changelog: boolean
  create(environment: StoreEnvironment): S
}

/** Where one store in one task keeps its rows. */
export interface StoreDisk extends Pick<DiskState, 'cacheBytes'> {
  table(): DiskTable
  timelines(): TimelineTable
}

/** What a store is made with in a task. */
export interface StoreEnvironment {
  /** A codec for the store's changelog topic. */
  open<T>(serde: Serde<T>, part: RecordPart): Codec<T>
  /** One thing for all stores of a task that name the same object, made for the first of them. */
  readonly share?: <T>(by: object, make: () => T) => T
  /** Rows on disk for a store that can be larger than memory; absent where everything is kept in memory. */
  readonly disk?: StoreDisk
}
