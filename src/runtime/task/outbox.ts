import { BatchWriter } from '../../log/batch/batch-writer.ts'
import { partitionFor } from '../../log/batch/partitioner.ts'
import type { Headers } from '../../record.ts'
import type { ByteWriter } from '../../serde/bytes.ts'
import type { TopicOutput } from '../../topology/processor.ts'
import { add, type TaskCounters } from './counters.ts'
import { laneHeaders, MARKER_HEADERS } from './lanes.ts'

/** A record batch on its way to the log. */
export interface OutgoingBatch {
  readonly topic: string
  readonly partition: number
  readonly bytes: Buffer
  readonly records: number
}

/** A repartition topic, whose readers are told how far time has come. */
export interface RepartitionOutput extends TopicOutput {
  /** Time has come so far without a record. */
  reach(timestamp: number): void
}

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

export interface OutboxOptions {
  readonly counters: TaskCounters
  /** Of the record in work: what is written of it has them, unless it says otherwise. */
  headersNow(): Headers
  /** Bytes of the largest batch that a topic takes. */
  largestBatch(topic: string): number
  /** A record is not written, because it is too large; may throw. */
  onOversized(record: OversizedRecord): void
}

/** What a task has written since it was last emptied, as record batches. */
export interface Outbox {
  /** A user's topic, a changelog or the dead letters. */
  topic(topic: string, partitions: number, onOversized?: OutboxOptions['onOversized']): TopicOutput
  /** A repartition topic: its batches say which task they come from, see `lanes.ts`. */
  repartition(topic: string, partitions: number, lane: number): RepartitionOutput
  /** Tells the readers of repartition topics how far time has come here; call at a commit. */
  markTime(): void
  /** Takes everything that has been written. */
  take(): OutgoingBatch[]
  /** Bytes that wait to be taken. */
  readonly bytes: number
}

/** Brokers take a little more by default (message.max.bytes, 1 MiB); a topic that takes less gets less. */
const BATCH_BYTES = 900_000
const FIRST_BATCH_BYTES = 4096

export function outbox(options: OutboxOptions): Outbox {
  const { counters, headersNow, largestBatch } = options
  let full: OutgoingBatch[] = []
  let fullBytes = 0
  const open = new Map<string, Target>()
  const markers: (() => void)[] = []

  const target = (
    topic: string,
    partitions: number,
    onOversized: Target['onOversized'],
    stamp = NO_HEADERS,
  ): Target => {
    let found = open.get(topic)
    if (found === undefined) {
      const most = largestBatch(topic)
      found = { topic, writers: new Array(partitions), most, full: Math.min(BATCH_BYTES, most), stamp, onOversized }
      open.set(topic, found)
    }
    return found
  }
  const finish = (topic: string, partition: number, writer: BatchWriter) => {
    const records = writer.count
    const bytes = writer.finish()
    full.push({ topic, partition, bytes, records })
    fullBytes += bytes.length
    add(counters.recordsOut, topic, records)
  }
  const append = (
    { stamp }: Target,
    writer: BatchWriter,
    timestamp: number,
    key: ByteWriter | null,
    value: ByteWriter | null,
    headers: Headers,
  ) => {
    // Once per batch is enough: a batch has one writer.
    const all = writer.count > 0 || stamp.length === 0 ? headers : headers.length > 0 ? [...stamp, ...headers] : stamp
    writer.appendFrom(timestamp, key, value, all)
  }
  /** Writes one record, in a new batch where it would make the open one too large. False when it is too large by itself. */
  const put = (
    to: Target,
    partition: number,
    timestamp: number,
    key: ByteWriter | null,
    value: ByteWriter | null,
    headers: Headers,
  ): boolean => {
    const writer = (to.writers[partition] ??= new BatchWriter(Math.min(FIRST_BATCH_BYTES, to.full)))
    const size = (key === null ? 0 : key.position) + (value === null ? 0 : value.position) + 64
    if (writer.count > 0 && writer.size + size > to.full) finish(to.topic, partition, writer)
    append(to, writer, timestamp, key, value, headers)
    if (writer.size <= to.most) return true
    // Its headers were not counted, or it is too large.
    writer.undo()
    if (writer.count > 0) {
      finish(to.topic, partition, writer)
      append(to, writer, timestamp, key, value, headers)
      if (writer.size <= to.most) return true
      writer.undo()
    }
    return false
  }
  const refuse = (
    to: Target,
    partition: number,
    timestamp: number,
    key: ByteWriter | null,
    value: ByteWriter | null,
    headers: Headers,
  ) => {
    const { topic, most, onOversized } = to
    const alone = new BatchWriter()
    append(to, alone, timestamp, key, value, headers)
    onOversized({ topic, partition, key, value, timestamp, bytes: alone.size, most })
  }

  return {
    topic(topic, partitions, onOversized = options.onOversized) {
      const to = target(topic, partitions, onOversized)
      return {
        partitions,
        partitionOf: (key, length) => partitionFor(key.buffer, partitions, 0, length),
        send(partition, key, value, timestamp, headers = headersNow()) {
          if (!put(to, partition, timestamp, key, value, headers)) refuse(to, partition, timestamp, key, value, headers)
        },
      }
    },
    repartition(topic, partitions, lane) {
      const to = target(topic, partitions, options.onOversized, laneHeaders(lane))
      const told = new Float64Array(partitions).fill(-1)
      let time = -1
      const tell = (partition: number) => {
        put(to, partition, time, null, null, MARKER_HEADERS)
        told[partition] = time
      }
      // A restarted task knows no time: what was committed must have told every partition how far it was.
      markers.push(() => {
        for (let partition = 0; partition < partitions; partition++) if (told[partition] < time) tell(partition)
      })
      return {
        partitions,
        reach(timestamp) {
          if (timestamp > time) time = timestamp
        },
        partitionOf: (key, length) => partitionFor(key.buffer, partitions, 0, length),
        send(partition, key, value, timestamp, headers = headersNow()) {
          // Whether a record is late must not depend on where commits fall, so time is told before it, not with the next one.
          if (timestamp < time && told[partition] < time) tell(partition)
          const isWritten = put(to, partition, timestamp, key, value, headers)
          if (timestamp > time) time = timestamp
          if (!isWritten) return refuse(to, partition, timestamp, key, value, headers)
          if (timestamp > told[partition]) told[partition] = timestamp
        },
      }
    },
    markTime() {
      for (const mark of markers) mark()
    },
    take() {
      for (const { topic, writers } of open.values()) {
        for (let partition = 0; partition < writers.length; partition++) {
          const writer = writers[partition]
          if (writer !== undefined && writer.count > 0) finish(topic, partition, writer)
        }
      }
      const taken = full
      full = []
      fullBytes = 0
      return taken
    },
    get bytes() {
      let bytes = fullBytes
      for (const { writers } of open.values()) for (const writer of writers) if (writer?.count) bytes += writer.size
      return bytes
    },
  }
}

/** A topic that is written to. */
interface Target {
  readonly topic: string
  /** By partition. */
  readonly writers: (BatchWriter | undefined)[]
  /** Bytes of the largest batch that the topic takes. */
  readonly most: number
  /** A batch of so many bytes is finished. */
  readonly full: number
  /** Headers of the first record of every batch. */
  readonly stamp: Headers
  readonly onOversized: (record: OversizedRecord) => void
}

const NO_HEADERS: Headers = []
