import { MillraceError } from '../../errors.ts'
import { readBatch } from '../batch/read-batch.ts'
import type { RecordBatch } from '../batch/record-batch.ts'
import type { Fetched, FetchOptions, LogReader, Position, ReaderOptions } from '../log.ts'
import type { Broker } from './broker.ts'
import type { Partition } from './partition.ts'
import type { StoredBatch } from './storage.ts'

export class LocalReader implements LogReader {
  private readonly broker: Broker
  private readonly uncommitted: boolean
  /** Called before each fetch, to let other work of the process go first. */
  private readonly breathe: () => Promise<void> | undefined
  /** Which position is served first: another one each time, so that none starves when the answer is full. */
  private turn = 0
  private closed = false

  private readonly onClose: () => void

  constructor(
    broker: Broker,
    { isolation }: ReaderOptions,
    breathe: () => Promise<void> | undefined,
    onClose: () => void,
  ) {
    this.broker = broker
    this.uncommitted = isolation === 'uncommitted'
    this.breathe = breathe
    this.onClose = onClose
  }

  async fetch(positions: readonly Position[], options: FetchOptions): Promise<Fetched[]> {
    if (this.closed) throw new MillraceError('CLOSED', 'the reader is closed')
    const { clock } = this.broker
    const deadline = clock.now() + options.maxWaitMs
    await this.breathe()
    for (;;) {
      const answer = this.gather(positions, options)
      const left = deadline - clock.now()
      if (left <= 0 || this.closed || options.signal?.aborted || answer.some(moved(positions))) return answer
      await this.broker.change(left, options.signal)
      // Closed while it waited: the wait ends with what there is.
      if (this.closed) return answer
    }
  }

  async close(): Promise<void> {
    this.closed = true
    this.onClose()
    this.broker.wake()
  }

  private gather(positions: readonly Position[], { maxBytes, maxBytesPerPartition }: FetchOptions): Fetched[] {
    const partitions = positions.map((position) => this.partitionAt(position))
    const answer = new Array<Fetched>(positions.length)
    let room = maxBytes
    let empty = true
    for (let k = 0; k < positions.length; k++) {
      const i = (k + this.turn) % positions.length
      const limit = Math.min(room, maxBytesPerPartition)
      const stored = this.stored(partitions[i], positions[i].offset, limit, empty)
      answer[i] = this.lay(positions[i], this.end(partitions[i]), stored, empty)
      for (const { bytes } of stored) room -= bytes.length
      if (stored.length > 0) empty = false
    }
    this.turn++
    return answer
  }

  private partitionAt(position: Position): Partition {
    const partition = this.broker.partition(position)
    const { start, next } = partition
    if (position.offset >= start && position.offset <= next) return partition
    throw new MillraceError('OFFSET_OUT_OF_RANGE', `there are records from offset ${start} to ${next} only`, {
      topic: position.topic,
      partition: position.partition,
      offset: position.offset,
      hint: 'the records have been deleted, or the log is not the one that the offset is from',
    })
  }

  private end(partition: Partition): number {
    return this.uncommitted ? partition.next : partition.end
  }

  private stored(partition: Partition, offset: number, maxBytes: number, atLeastOne: boolean): StoredBatch[] {
    if (offset >= this.end(partition) || (maxBytes <= 0 && !atLeastOne)) return []
    const stored = this.broker.storage.read(partition.id, offset, this.end(partition), maxBytes, atLeastOne)
    if (!this.uncommitted || partition.open.size === 0 || (stored.length === 0 && !atLeastOne)) return stored
    // Whoever asks for uncommitted records is looking on, not in a hurry: what is held back is laid between.
    const held: StoredBatch[] = []
    for (const transaction of partition.open.keys())
      for (const { partition: target, bytes, lastOffset } of transaction.batches)
        if (target === partition && lastOffset >= offset)
          held.push({ baseOffset: Number(bytes.readBigInt64BE()), lastOffset, bytes: Buffer.from(bytes) })
    const limit = stored.length > 0 ? stored[stored.length - 1].lastOffset : Number.POSITIVE_INFINITY
    return [...stored, ...held.filter((batch) => batch.lastOffset <= limit)].sort((a, b) => a.baseOffset - b.baseOffset)
  }

  /** Lays the batches open, up to the first that cannot be read. `sought`: at least one batch was asked for. */
  private lay(position: Position, end: number, stored: readonly StoredBatch[], sought: boolean): Fetched {
    const { topic, partition, offset } = position
    const batches: RecordBatch[] = []
    let next = offset
    for (const { bytes, lastOffset } of stored) {
      try {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
        batches.push(readBatch(bytes, view, 0, bytes.length, { topic, partition }))
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
        if (batches.length > 0) return { topic, partition, batches, next, end }
        return { topic, partition, batches, next, end, corrupt: { error, skipTo: lastOffset + 1, bytes } }
      }
      next = lastOffset + 1
    }
    // None is there: what lies before the end are holes.
    if (stored.length === 0 && sought && next < end) next = end
    return { topic, partition, batches, next, end }
  }
}

function moved(positions: readonly Position[]) {
  return (fetched: Fetched, i: number) => fetched.next > positions[i].offset || fetched.corrupt !== undefined
}
