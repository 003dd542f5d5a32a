import type { RecordBatch } from '../../log/batch/record-batch.ts'
import type { Codec } from '../../serde/serde.ts'
import type { Forward } from '../../topology/processor.ts'
import { laneOf } from './lanes.ts'

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

/** Puts in what was fetched, and where reading goes on; `end` is that of the partition. */
export function append(of: Input, batches: readonly RecordBatch[], next: number, end: number, now: number): void {
  const wasEmpty = of.queue.length === 0
  for (const added of batches) {
    of.queue.push(added)
    of.bytes += batchBytes(added)
  }
  of.fetched = next
  of.end = end
  of.isEndKnown = true
  of.heardAt = now
  if (batches.length > 0) of.quietSince = now
  if (wasEmpty) openHead(of)
}

/** Nothing is fetched before this offset. */
export function skipTo(of: Input, offset: number): void {
  of.fetched = offset
  if (of.queue.length === 0) openHead(of)
}

/** Makes the head of the queue ready: skips what lies before the position, reads the lane. */
export function openHead(of: Input): void {
  of.next = 0
  while (of.queue.length) {
    const head = of.queue[0]
    while (of.next < head.count && head.offsets[of.next] < of.position) of.next++
    if (of.next < head.count) {
      // So are those before the next record: a planned range that ends among them has been replayed.
      of.position = head.offsets[of.next]
      of.lane = of.internal ? of.firstLane + laneOf(head) : of.firstLane
      return
    }
    of.queue.shift()
    of.bytes -= batchBytes(head)
    of.position = Math.max(of.position, head.lastOffset + 1)
    of.next = 0
  }
  // Aborted records and holes at the end of what was fetched are behind us, too.
  if (of.fetched > of.position) of.position = of.fetched
}

/** Sets where it is read from. A planned range that this leaves is given up: returns where it ended. */
export function seek(of: Input, offset: number, now: number): number | undefined {
  const { position, limit } = of
  const isGivenUp = limit < Number.POSITIVE_INFINITY && (offset < position || offset >= limit)
  // Nothing of this topic is in what is replayed of the others.
  if (isGivenUp) of.limit = offset
  of.queue.length = 0
  of.bytes = of.next = of.reader = 0
  of.unresolved = undefined
  of.isEndKnown = false
  of.position = of.fetched = offset
  of.quietSince = of.heardAt = now
  return isGivenUp ? limit : undefined
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
