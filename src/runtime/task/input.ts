import type { RecordBatch } from '../../log/batch/record-batch.ts'
import type { Codec } from '../../serde/serde.ts'
import type { Forward } from '../../topology/processor.ts'

/** One node that takes records in, with the codecs of its topic; no codec means the bytes as they are. */
export interface Reader {
  readonly node: string
  readonly key: Codec<unknown> | undefined
  readonly value: Codec<unknown> | undefined
  readonly receive: Forward
}

/**
 * One partition that a task reads: the batches that were fetched and wait, and how far processing has come.
 */
export interface Input {
  readonly topic: string
  readonly partition: number
  readonly readers: readonly Reader[]
  /** First lane of its own; plain topics share lane 0. */
  readonly firstLane: number
  /** It is a repartition topic: batches name their lane, and there are markers. */
  readonly internal: boolean
  readonly queue: RecordBatch[]
  /** Index of the next record in `queue[0]`. */
  next: number
  /** Lane of `queue[0]`. */
  lane: number
  /** Offset of the next record to process; what is committed. */
  position: number
  /** Offset up to which records have been fetched. */
  fetched: number
  /** Last known end of the partition: `fetched < end` means it is known to lag. */
  end: number
  /** Bytes in the queue. */
  bytes: number
}

export function input(fields: Pick<Input, 'topic' | 'partition' | 'readers' | 'firstLane' | 'internal'>): Input {
  return { ...fields, queue: [], next: 0, lane: fields.firstLane, position: 0, fetched: 0, end: 0, bytes: 0 }
}

/** Timestamp of the next record, Infinity when none is at hand. */
export function headTimestamp(of: Input): number {
  return of.queue.length ? of.queue[0].timestamps[of.next] : Number.POSITIVE_INFINITY
}
