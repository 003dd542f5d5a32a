import { BatchWriter } from '../../log/batch/batch-writer.ts'
import { partitionFor } from '../../log/batch/partitioner.ts'
import type { Headers } from '../../record.ts'
import type { ByteWriter } from '../../serde/bytes.ts'
import type { TopicOutput } from '../../topology/processor.ts'
import { add, type TaskCounters } from './counters.ts'
import { laneHeaders, markerHeaders } from './lanes.ts'

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

/** What a task has written since it was last emptied, as record batches. */
export interface Outbox {
  /** A user's topic, a changelog or the dead letters. */
  topic(topic: string, partitions: number): TopicOutput
  /** A repartition topic: its batches say which task they come from, see `lanes.ts`. */
  repartition(topic: string, partitions: number, lane: number): RepartitionOutput
  /** Tells the readers of repartition topics how far time has come here; call at a commit. */
  markTime(): void
  /** Takes everything that has been written. */
  take(): OutgoingBatch[]
  /** Bytes that wait to be taken. */
  readonly bytes: number
}

// Kafka's own producer default; brokers refuse batches over 1 MiB by default (message.max.bytes).
const BATCH_BYTES = 900_000
const FIRST_BATCH_BYTES = 4096

export function outbox(counters: TaskCounters, headersNow: () => Headers): Outbox {
  let full: OutgoingBatch[] = []
  let fullBytes = 0
  const open = new Map<string, Writers>()
  const markers: (() => void)[] = []

  const writers = (topic: string, partitions: number): Writers => {
    let found = open.get(topic)
    if (found === undefined) open.set(topic, (found = { topic, partitions: new Array(partitions) }))
    return found
  }
  const finish = (topic: string, partition: number, writer: BatchWriter) => {
    const records = writer.count
    const bytes = writer.finish()
    full.push({ topic, partition, bytes, records })
    fullBytes += bytes.length
    add(counters.recordsOut, topic, records)
  }
  /** The writer for one more record of at most `size` bytes. */
  const writerFor = (to: Writers, partition: number, size: number): BatchWriter => {
    const writer = (to.partitions[partition] ??= new BatchWriter(FIRST_BATCH_BYTES))
    if (writer.count > 0 && writer.size + size > BATCH_BYTES) finish(to.topic, partition, writer)
    return writer
  }
  const sizeOf = (key: ByteWriter | null, value: ByteWriter | null) =>
    (key === null ? 0 : key.position) + (value === null ? 0 : value.position) + 64

  return {
    topic(topic, partitions) {
      const to = writers(topic, partitions)
      return {
        partitions,
        partitionOf: (key, length) => partitionFor(key.buffer, partitions, 0, length),
        send(partition, key, value, timestamp, headers = headersNow()) {
          writerFor(to, partition, sizeOf(key, value)).appendFrom(timestamp, key, value, headers)
        },
      }
    },
    repartition(topic, partitions, lane) {
      const to = writers(topic, partitions)
      const stamp = laneHeaders(lane)
      const told = new Float64Array(partitions).fill(-1)
      let time = -1
      const tell = (partition: number) => {
        writerFor(to, partition, 64).append(time, null, null, markerHeaders(lane))
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
          const writer = writerFor(to, partition, sizeOf(key, value))
          if (timestamp > time) time = timestamp
          if (timestamp > told[partition]) told[partition] = timestamp
          // Once per batch is enough: a batch has one writer.
          const all = writer.count > 0 ? headers : headers.length ? [...stamp, ...headers] : stamp
          writer.appendFrom(timestamp, key, value, all)
        },
      }
    },
    markTime() {
      for (const mark of markers) mark()
    },
    take() {
      for (const { topic, partitions } of open.values()) {
        for (let partition = 0; partition < partitions.length; partition++) {
          const writer = partitions[partition]
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
      for (const { partitions } of open.values())
        for (const writer of partitions) if (writer?.count) bytes += writer.size
      return bytes
    },
  }
}

interface Writers {
  readonly topic: string
  readonly partitions: (BatchWriter | undefined)[]
}
