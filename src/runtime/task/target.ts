import type { BatchBuffers } from '../../log/batch/batch-buffers.ts'
import { BatchWriter } from '../../log/batch/batch-writer.ts'
import type { Headers } from '../../record.ts'
import { ByteWriter } from '../../serde/bytes.ts'
import type { WriteCodec } from '../../serde/serde.ts'
import type { WorkingRecord } from './working-record.ts'

/** A record that its topic does not take, even in a batch of its own. Its bytes are those that were to be written. */
export interface OversizedRecord {
  readonly topic: string
  readonly partition: number
  readonly key: ByteWriter | null
  readonly value: ByteWriter | null
  readonly timestamp: number
  /** Of its batch, and of the largest one that the topic takes. */
  readonly bytes: number
  readonly most: number
}

export interface TargetOptions {
  readonly topic: string
  readonly partitions: number
  /** Bytes of the largest batch that the topic takes. */
  readonly most: number
  /** Headers of the first record of every batch. */
  readonly stamp: Headers
  /** The record in work, whose bytes are passed on. */
  readonly record: WorkingRecord
  /** A record is not written, because it is too large; may throw. */
  onOversized(record: OversizedRecord): void
  /** Where batches are gathered. */
  readonly buffers: BatchBuffers
  /** A batch is full; `buffer` is what it lies in. */
  onFull(partition: number, batch: Buffer, records: number, buffer: Buffer): void
}

/** A topic that is written to: an open batch for each of its partitions. */
export interface Target {
  readonly partitions: number
  /** Writes a record, in a new batch where it would make the open one too large. False when it was too large by itself. */
  put(partition: number, key: ByteWriter | null, value: ByteWriter | null, timestamp: number, headers: Headers): boolean
  /** The same, straight into the batch: of a value that is still to be encoded. */
  encode<V>(partition: number, key: ByteWriter | null, codec: WriteCodec<V>, value: V, timestamp: number): boolean
  /** The same, of the value of the record in work as it was read. */
  pass(partition: number, key: ByteWriter | null, timestamp: number): boolean
  /** Ends the open batches. */
  finish(): void
  /** Of the open batches. */
  readonly bytes: number
}

/** Brokers take a little more by default (message.max.bytes, 1 MiB); a topic that takes less gets less. */
const BATCH_BYTES = 900_000
const FIRST_BATCH_BYTES = 4096
/** A record takes no more besides its key, its value and its headers. */
const AROUND = 64

export function target(options: TargetOptions): Target {
  const { topic, partitions, most, stamp, record, buffers, onOversized, onFull } = options
  const full = Math.min(BATCH_BYTES, most)
  const writers = new Array<BatchWriter | undefined>(partitions)
  const spare = new ByteWriter()

  const finish = (partition: number, writer: BatchWriter) => {
    const { count } = writer
    const { buffer, batch } = writer.detach()
    onFull(partition, batch, count, buffer)
  }
  const append = (
    writer: BatchWriter,
    key: ByteWriter | null,
    value: ByteWriter | null,
    timestamp: number,
    headers: Headers,
  ) => {
    // Once per batch is enough: a batch has one writer.
    const all = writer.count > 0 || stamp.length === 0 ? headers : headers.length > 0 ? [...stamp, ...headers] : stamp
    writer.appendFrom(timestamp, key, value, all)
  }
  const refuse = (
    partition: number,
    key: ByteWriter | null,
    value: ByteWriter | null,
    timestamp: number,
    headers: Headers,
  ): false => {
    const alone = new BatchWriter()
    append(alone, key, value, timestamp, headers)
    onOversized({ topic, partition, key, value, timestamp, bytes: alone.size, most })
    return false
  }

  const put: Target['put'] = (partition, key, value, timestamp, headers) => {
    const writer = (writers[partition] ??= new BatchWriter(Math.min(FIRST_BATCH_BYTES, full), buffers))
    const size = (key === null ? 0 : key.position) + (value === null ? 0 : value.position) + AROUND
    if (writer.count > 0 && writer.size + size > full) finish(partition, writer)
    append(writer, key, value, timestamp, headers)
    if (writer.size <= most) return true
    // Its headers were not counted, or it is too large.
    writer.undo()
    if (writer.count > 0) {
      finish(partition, writer)
      append(writer, key, value, timestamp, headers)
      if (writer.size <= most) return true
      writer.undo()
    }
    return refuse(partition, key, value, timestamp, headers)
  }

  return {
    partitions,
    put,
    encode(partition, key, codec, value, timestamp) {
      const { headers } = record
      const writer = writers[partition]
      if (writer !== undefined && writer.count > 0 && headers.length === 0) {
        codec.encode(value, writer.begin(timestamp, key))
        writer.end()
        if (writer.size <= full) return true
        writer.undo()
      }
      codec.encode(value, spare.reset())
      return put(partition, key, spare, timestamp, headers)
    },
    pass(partition, key, timestamp) {
      const { headers, batch, index } = record
      if (batch === undefined) return put(partition, key, null, timestamp, headers)
      const start = batch.valueStart[index]
      if (start < 0) return put(partition, key, null, timestamp, headers)
      const end = batch.valueEnd[index]
      const writer = writers[partition]
      if (writer !== undefined && writer.count > 0 && headers.length === 0) {
        writer.appendSpan(timestamp, key, batch, start, end)
        if (writer.size <= full) return true
        writer.undo()
      }
      spare.reset().raw(batch.buffer.subarray(start, end))
      return put(partition, key, spare, timestamp, headers)
    },
    finish() {
      for (const [partition, writer] of writers.entries()) {
        if (writer !== undefined && writer.count > 0) finish(partition, writer)
      }
    },
    get bytes() {
      let bytes = 0
      for (const writer of writers) if (writer !== undefined && writer.count > 0) bytes += writer.size
      return bytes
    },
  }
}
