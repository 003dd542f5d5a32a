/** One object as it goes into a store. */
export interface LakeObject {
  readonly bytes: Buffer
  readonly rows: number
  /** See `Container.digest`. */
  readonly digest: string
}

/** One object as a listing shows it. */
export interface LakeEntry {
  /** Below the root, with `/` between folders. */
  readonly path: string
  /** In bytes. */
  readonly size: number
}

/** Where a lake lies: a directory or a bucket. Objects are written whole, once, and never changed. */
export interface LakeStore {
  /** Checks that the place is there and may be used; makes it where that is ours to do. */
  prepare(): Promise<void>
  /**
   * Writes the object unless it is there; resolves when it is durable. An object of the same content at the path is
   * fine (a replay), one of other content throws `SINK_REFUSED`. Retriable errors are thrown after short retries.
   */
  put(path: string, object: LakeObject): Promise<'written' | 'present'>
  /** All objects below the root whose path begins with `prefix`, in any order. */
  list(prefix: string): AsyncIterable<LakeEntry>
  read(path: string): Promise<Buffer>
  close(): void
}
