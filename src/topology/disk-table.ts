/** A row on disk: an entry of a store as bytes. */
export interface DiskRow {
  readonly start: number
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly timestamp: number
}

/**
 * Rows on disk behind a store that is larger than memory, ordered by start and key. It is as short-lived as its task: what
 * is to survive is in the changelog. Throws `DISK_FULL`.
 */
export interface DiskTable {
  get(start: number, key: Uint8Array): DiskRow | undefined
  set(start: number, key: Uint8Array, value: Uint8Array, timestamp: number): void
  delete(start: number, key: Uint8Array): void
  deleteAll(start: number): void
  /** At most `limit` rows behind this one in their order; from the first on without one. */
  after(row: Pick<DiskRow, 'start' | 'key'> | undefined, limit: number): DiskRow[]
  /** Rows of one start with keys from `from` to `to`, both included; undefined: no bound. */
  range(start: number, from: Uint8Array | undefined, to: Uint8Array | undefined): DiskRow[]
  /** Number of rows by start. */
  counts(): Map<number, number>
  close(): void
}

/** Where a row of a timeline is: a key has many, each at a time; `sequence` tells apart those of one key and time. */
export interface TimelinePlace {
  readonly key: Uint8Array
  readonly time: number
  readonly sequence: number
}

export interface TimelineRow extends TimelinePlace {
  readonly value: Uint8Array
  readonly timestamp: number
}

/**
 * Rows on disk by key, time and sequence, and by time alone: for what is looked up by key and expires by time. As
 * short-lived as a `DiskTable`. Throws `DISK_FULL`.
 */
export interface TimelineTable {
  /** Of one key, from one time to another, both included, in order. */
  range(key: Uint8Array, from: number, to: number): TimelineRow[]
  set(place: TimelinePlace, value: Uint8Array, timestamp: number): void
  delete(place: TimelinePlace): void
  /** At most `limit` places with from <= time <= to, by time, key and sequence, behind one of them. */
  between(from: number, to: number, behind: TimelinePlace | undefined, limit: number): TimelinePlace[]
  /** At most `limit` rows by key, time and sequence, behind one of them. */
  after(place: TimelinePlace | undefined, limit: number): TimelineRow[]
  /** The first time after this one; `Infinity` when there is none. */
  nextTime(after: number): number
  /** The highest time; -1 when there are no rows. */
  lastTime(): number
  count(): number
  close(): void
}

/** Where tasks keep their rows: `diskState(directory)` of `millrace/disk`. */
export interface DiskState {
  /** Bytes of one store in one task that stay in memory between two commits. */
  readonly cacheBytes: number
  /** A new, empty table. Throws `DATA_DIRECTORY`, `DISK_FULL`. */
  table(task: string, store: string): DiskTable
  /** The same for timelines. */
  timelines(task: string, store: string): TimelineTable
  /** Removes what is left of it; called when the application has ended. */
  close(): void
}
