import type { CountWindows } from './count-windows.ts'

/**
 * Windows whose bounds follow from the timestamp alone: tumbling, hopping, unlimited, and what {@link customWindows}
 * makes. `start` is inclusive, `end` exclusive. Pure data and pure functions; immutable.
 */
export interface AlignedWindows {
  readonly kind: 'tumbling' | 'hopping' | 'unlimited' | 'custom'
  /** Length in ms; `Infinity` when unlimited; the longest that can occur when custom. */
  readonly size: number
  /** How long after its end a window still takes records, in ms of stream time. */
  readonly grace: number
  /** For `describe` and the plan: plain JSON. */
  readonly describe: WindowDescription
  /** Calls `visit` for each window that holds the timestamp, ascending by start. Allocates nothing. */
  assign(timestamp: number, visit: (start: number, end: number) => void): void
  /** The end of the window that starts at `start`: topics carry only the start. */
  endOf(start: number): number
  /**
   * With `advance`, `assign` as a loop for engines, except for kind 'custom' (where `advance` is `NaN`):
   * `for (let start = firstStart(t); start <= t; start += advance)`, each ending at `start + size`.
   */
  firstStart(timestamp: number): number
  readonly advance: number
}

/** Windows [start, start + timeDifference], both ends inclusive, made by the records themselves. */
export interface SlidingWindows {
  readonly kind: 'sliding'
  readonly timeDifference: number
  readonly grace: number
  readonly describe: WindowDescription
}

/** Windows [first, last] of records that are at most `gap` apart, both ends inclusive. */
export interface SessionWindows {
  readonly kind: 'session'
  readonly gap: number
  readonly grace: number
  readonly describe: WindowDescription
}

/** Windows of event time. */
export type TimeWindows = AlignedWindows | SlidingWindows | SessionWindows

/** What `windowedBy` takes. */
export type Windows = TimeWindows | CountWindows

/** A window definition in words and numbers. */
export interface WindowDescription {
  readonly kind: string
  readonly [parameter: string]: string | number
}

/** What the window functions take beside their size. */
export interface WindowOptions {
  /** How late a record may be and still count, in ms of stream time after the end of its window. Default 0. */
  readonly grace?: number
}
