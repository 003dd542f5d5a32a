/** A topic as it is stored. Ids of partitions are never used twice, so that a new topic cannot see an old one's batches. */
export interface StoredTopic {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
  readonly partitions: readonly StoredPartition[]
}

export interface StoredPartition {
  readonly id: number
  /** First offset that is still there. */
  readonly start: number
  /** The offset that the next record gets. */
  readonly next: number
}

export interface StoredBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly bytes: Buffer
}

export interface StoredOffset {
  readonly offset: number
  readonly metadata: string | undefined
}

/**
 * Where a log of one process keeps what it is told: in memory, or in a file. Synchronous, because each call is either a
 * few table look-ups or one write of much data at once. Everything that changes is called inside `atomically`.
 */
export interface LogStorage {
  open(): void
  close(): void
  topics(): StoredTopic[]
  /** Does all the changes that `work` makes, durably, or none. Throws `DISK_FULL`, `UNAVAILABLE`. */
  atomically(work: () => void): void
  /** Creates a topic with empty partitions and gives their ids. */
  createTopic(name: string, partitions: number, config: Readonly<Record<string, string>>): number[]
  /** Deletes a topic, its batches and what groups have committed for it. */
  deleteTopic(name: string): void
  /** Stores a batch whose base offset is written in it. The bytes are copied. */
  append(partition: number, batch: Buffer, lastOffset: number): void
  setNext(partition: number, next: number): void
  /** Moves the start of the partition and forgets the batches wholly below it. */
  setStart(partition: number, start: number): void
  /**
   * Batches from the one that holds `offset`, or the first after it, that end before `limit` and are together not
   * larger than `maxBytes`; but at least one, however large, when `atLeastOne`.
   */
  read(partition: number, offset: number, limit: number, maxBytes: number, atLeastOne: boolean): StoredBatch[]
  committed(group: string, topic: string, partition: number): StoredOffset | undefined
  setCommitted(group: string, topic: string, partition: number, offset: StoredOffset): void
  /** The newest epoch of a transactional id; -1 when it was never used. */
  epoch(transactionalId: string): number
  setEpoch(transactionalId: string, epoch: number): void
}
