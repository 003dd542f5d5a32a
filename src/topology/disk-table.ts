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

/** Where tasks keep their rows: `diskState(directory)` of `millrace/disk`. */
export interface DiskState {
  /** Entries of one store that stay in memory between two commits. */
  readonly cacheEntries: number
  /** A new, empty table. Throws `DATA_DIRECTORY`, `DISK_FULL`. */
  table(task: string, store: string): DiskTable
  /** Removes what is left of it; called when the application has ended. */
  close(): void
}
