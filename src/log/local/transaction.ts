import type { CommittedOffset } from '../log.ts'
import type { Partition } from './partition.ts'
import type { LogStorage } from './storage.ts'

export interface StagedBatch {
  readonly partition: Partition
  readonly bytes: Buffer
  readonly lastOffset: number
}

export interface StagedOffset {
  readonly group: string
  readonly offset: CommittedOffset
  /** Another commit of the group has come after it. */
  superseded?: boolean
}

/** What a producer has done since `begin`, held back until it is decided. */
export class Transaction {
  readonly batches: StagedBatch[] = []
  readonly offsets: StagedOffset[] = []
  /** Ends the watch over the time it is open. */
  readonly decided = new AbortController()
  /** When the producer was last heard of. */
  touched: number
  committing = false

  constructor(now: number) {
    this.touched = now
  }

  get partitions(): Set<Partition> {
    return new Set(this.batches.map((batch) => batch.partition))
  }

  /** Writes all of it; called inside `LogStorage.atomically`. */
  store(storage: LogStorage): void {
    for (const { partition, bytes, lastOffset } of this.batches)
      if (!partition.deleted) storage.append(partition.id, bytes, lastOffset)
    for (const { group, offset, superseded } of this.offsets)
      if (!superseded)
        storage.setCommitted(group, offset.topic, offset.partition, {
          offset: offset.offset,
          metadata: offset.metadata,
        })
  }
}
