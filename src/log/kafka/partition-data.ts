import { toError } from '../../errors.ts'
import { batchHeader, checkBatch } from '../batch/batch-header.ts'
import { LENGTH, PREFIX, RECORDS } from '../batch/layout.ts'
import { readBatch } from '../batch/read-batch.ts'
import type { RecordBatch } from '../batch/record-batch.ts'
import type { Fetched, Isolation, Position } from '../log.ts'
import type { AbortedTransaction, PartitionData } from './wire/fetch.ts'

/** Kafka takes no request of more than 100 MB (socket.request.max.bytes), and answers hold at least one whole batch. */
const LARGEST_BATCH = 256 * 1024 * 1024

export interface ReadPartition extends Fetched {
  /** Bytes of the batch at `next` when it was cut off and there was none before it: to be asked for with more room. */
  readonly cutOff?: number
}

/**
 * Reads what a broker sent of one partition: whole batches from the position on, without control batches and, for
 * committed readers, without those of aborted transactions.
 *
 * The broker names the aborted transactions of the span by producer and first offset; each ends at the producer's next
 * abort marker (as in the Java client: CompletedFetch). Order decides, not the offsets alone: a producer may abort,
 * commit and abort again within one span, and the transactions of several producers interleave.
 *
 * @param granted the room that was asked for because of an earlier `cutOff`
 */
export function readPartition(
  position: Position,
  data: PartitionData,
  isolation: Isolation,
  granted?: number,
): ReadPartition {
  const { topic, partition } = position
  const { records: buffer } = data
  const end = isolation === 'committed' ? data.lastStableOffset : data.highWatermark
  const batches: RecordBatch[] = []
  const transactions = isolation === 'committed' ? abortedSpans(data.aborted) : undefined
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
  let next = position.offset
  let at = 0

  while (buffer.length - at >= PREFIX) {
    const size = PREFIX + buffer.readInt32BE(at + LENGTH)
    // The end of an answer may be anywhere in a batch, which then comes whole with the next. A batch that had all the room
    // it claims to need, or claims more than any has, is not one.
    const isCutOff = size > buffer.length - at && size <= LARGEST_BATCH && !(at === 0 && granted && size <= granted)
    if (isCutOff) return { topic, partition, batches, next, end, ...(at === 0 && { cutOff: size }) }
    const stop = Math.min(at + Math.max(size, PREFIX), buffer.length)
    try {
      if (stop - at < RECORDS) checkBatch(buffer, at, stop, { topic, partition })
      // Not verified yet, but every batch is, below: read ones by readBatch, the others by checkBatch.
      const { control, transactional, producerId, count, lastOffset } = batchHeader(buffer, at)
      const isAborted = transactional && transactions?.covers(producerId, lastOffset) === true
      if (control) {
        if (isAbortMarker(readBatch(buffer, view, at, stop, { topic, partition }))) transactions?.ended(producerId)
      } else if (isAborted || count === 0 || lastOffset < position.offset) {
        checkBatch(buffer, at, stop, { topic, partition })
      } else {
        batches.push(readBatch(buffer, view, at, stop, { topic, partition }))
      }
      next = Math.max(next, lastOffset + 1)
    } catch (error) {
      const skipTo = offsetAfter(buffer, at, stop, next, data.highWatermark)
      const corrupt = { error: toError(error), skipTo, bytes: buffer.subarray(at, stop) }
      return { topic, partition, batches, next, end, corrupt }
    }
    at = stop
  }
  return { topic, partition, batches, next, end }
}

function abortedSpans(aborted: readonly AbortedTransaction[]) {
  const waiting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<number>()
  let upTo = 0
  return {
    covers(producerId: number, lastOffset: number): boolean {
      while (upTo < waiting.length && waiting[upTo].firstOffset <= lastOffset) open.add(waiting[upTo++].producerId)
      return open.has(producerId)
    },
    ended: (producerId: number) => open.delete(producerId),
  }
}

/** A control record's key is int16 version, int16 type: 0 aborts, 1 commits. Other types are not about transactions. */
function isAbortMarker({ buffer, count, keyStart, keyEnd }: RecordBatch): boolean {
  return count > 0 && keyEnd[0] - keyStart[0] >= 4 && buffer.readInt16BE(keyStart[0] + 2) === 0
}

/** Past the unreadable batch if its header can be believed, else to the next offset. */
function offsetAfter(buffer: Buffer, at: number, stop: number, next: number, highWatermark: number): number {
  if (stop - at < RECORDS) return next + 1
  const { magic, lastOffset } = batchHeader(buffer, at)
  return magic === 2 && lastOffset >= next && lastOffset < highWatermark ? lastOffset + 1 : next + 1
}
