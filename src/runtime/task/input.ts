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

/** The one lane of all topics of the user's that a task reads. */
export const PLAIN_LANE = 0

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
  /** Index of the next reader of that record: not 0 only when one had to wait for a schema. */
  reader: number
  /** Why the next record cannot be decoded, where that was found out outside. */
  unresolved: Error | undefined
  /** Lane of `queue[0]`. */
  lane: number
  /** Offset of the next record to process; what is committed. */
  position: number
  /** Offset up to which records have been fetched. */
  fetched: number
  /** Last known end of the partition: `fetched < end` means it is known to lag. */
  end: number
  /** The log has told `end` since reading began. */
  isEndKnown: boolean
  /** Wall-clock time at which a record was last fetched, or reading began; and of the last word of the log. */
  quietSince: number
  heardAt: number
  /** Bytes in the queue. */
  bytes: number
  /** Nothing from this offset on is processed for now: the range before it must be committed by itself. */
  limit: number
}

export function input(fields: Pick<Input, 'topic' | 'partition' | 'readers' | 'firstLane' | 'internal'>): Input {
  return {
    ...fields,
    queue: [],
    next: 0,
    reader: 0,
    unresolved: undefined,
    lane: fields.firstLane,
    position: 0,
    fetched: 0,
    end: 0,
    isEndKnown: false,
    quietSince: 0,
    heardAt: 0,
    bytes: 0,
    limit: Number.POSITIVE_INFINITY,
  }
}

/** Whether all that is known to be there has been processed. */
export function isAtEnd({ queue, fetched, end, isEndKnown }: Input): boolean {
  return isEndKnown && queue.length === 0 && fetched >= end
}

/** Whether a record is at hand that may be processed. */
export function hasRecord({ queue, next, limit }: Input): boolean {
  return queue.length > 0 && (limit === Number.POSITIVE_INFINITY || queue[0].offsets[next] < limit)
}

/** About how many bytes of a fetch answer a batch holds on to. */
export function batchBytes({ base, count, keyEnd, valueEnd }: RecordBatch): number {
  return count === 0 ? 0 : Math.max(keyEnd[count - 1], valueEnd[count - 1]) - base
}
