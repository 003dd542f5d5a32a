/**
 * Where snapshots are kept: a port, with an adapter for a local directory and one for a bucket. It knows nothing of what
 * is in them. Each adapter passes `snapshotStoreContract`.
 *
 * Paths are relative, with `/` between folders. Throws a retriable `UNAVAILABLE` or `DISK_FULL` when waiting helps,
 * `DATA_DIRECTORY` or `NOT_AUTHORIZED` when it does not.
 */
export interface SnapshotStore {
  /** For logs and errors: a path or an address, without secrets. */
  readonly location: string
  /** Makes sure that it can be used. */
  open(): Promise<void>
  /** Names of the objects in a folder; none when there is no such folder. */
  list(folder: string): Promise<string[]>
  /** Writes an object whole or not at all, in place of one of the same path; resolves when it is durable. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** undefined when there is no such object. */
  read(path: string): Promise<Buffer | undefined>
  /** Removes what is there. */
  remove(paths: readonly string[]): Promise<void>
  close(): void
}
