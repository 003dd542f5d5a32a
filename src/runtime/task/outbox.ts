import type { BatchBuffers } from '../../log/batch/batch-buffers.ts'
import { partitionFor } from '../../log/batch/partitioner.ts'
import type { Headers } from '../../record.ts'
import type { TopicOutput } from '../../topology/processor.ts'
import { add, type TaskCounters } from './counters.ts'
import { laneHeaders, MARKER_HEADERS } from './lanes.ts'
import { type OversizedRecord, type Target, target } from './target.ts'
import type { WorkingRecord } from './working-record.ts'

/** A record batch on its way to the log, which writes its CRC. */
export interface OutgoingBatch {
  readonly topic: string
  readonly partition: number
  readonly bytes: Buffer
  readonly records: number
  /** Its bytes are in the log and nobody looks at them any more: the next batch may be gathered where they are. */
  reuse?(): void
}

/** A repartition topic, whose readers are told how far time has come. */
export interface RepartitionOutput extends TopicOutput {
  /** Time has come so far without a record. */
  reach(timestamp: number): void
}

export interface OutboxOptions {
  readonly counters: TaskCounters
  /** The record in work: what is written of it has its headers, unless it says otherwise. */
  readonly record: WorkingRecord
  readonly buffers: BatchBuffers
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

export function outbox(options: OutboxOptions): Outbox {
  const { counters, record, buffers, largestBatch } = options
  let full: OutgoingBatch[] = []
  let fullBytes = 0
  const targets = new Map<string, Target>()
  const markers: (() => void)[] = []

  const open = (
    topic: string,
    partitions: number,
    onOversized: OutboxOptions['onOversized'],
    stamp: Headers = NO_HEADERS,
  ): Target => {
    let found = targets.get(topic)
    if (found !== undefined) return found
    const onFull = (partition: number, bytes: Buffer, records: number, buffer: Buffer) => {
      full.push({ topic, partition, bytes, records, reuse: () => buffers.give(buffer) })
      fullBytes += bytes.length
      add(counters.recordsOut, topic, records)
    }
    found = target({ topic, partitions, most: largestBatch(topic), stamp, record, buffers, onOversized, onFull })
    targets.set(topic, found)
    return found
  }

  return {
    topic(topic, partitions, onOversized = options.onOversized) {
      const to = open(topic, partitions, onOversized)
      return {
        partitions,
        partitionOf: (key, length) => partitionFor(key.buffer, partitions, 0, length),
        send: (partition, key, value, timestamp, headers = record.headers) =>
          void to.put(partition, key, value, timestamp, headers),
        encode: to.encode,
        pass: to.pass,
      }
    },
    repartition(topic, partitions, lane) {
      const to = open(topic, partitions, options.onOversized, laneHeaders(lane))
      const told = new Float64Array(partitions).fill(-1)
      let time = -1
      const tell = (partition: number) => {
        to.put(partition, null, null, time, MARKER_HEADERS)
        told[partition] = time
      }
      // Whether a record is late must not depend on where commits fall, so time is told before it, not with the next one.
      const before = (partition: number, timestamp: number) => {
        if (timestamp < time && told[partition] < time) tell(partition)
      }
      const after = (partition: number, timestamp: number, isWritten: boolean) => {
        if (timestamp > time) time = timestamp
        if (isWritten && timestamp > told[partition]) told[partition] = timestamp
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
        send(partition, key, value, timestamp, headers = record.headers) {
          before(partition, timestamp)
          after(partition, timestamp, to.put(partition, key, value, timestamp, headers))
        },
        encode(partition, key, codec, value, timestamp) {
          before(partition, timestamp)
          after(partition, timestamp, to.encode(partition, key, codec, value, timestamp))
        },
        pass(partition, key, timestamp) {
          before(partition, timestamp)
          after(partition, timestamp, to.pass(partition, key, timestamp))
        },
      }
    },
    markTime() {
      for (const mark of markers) mark()
    },
    take() {
      for (const of of targets.values()) of.finish()
      const taken = full
      full = []
      fullBytes = 0
      return taken
    },
    get bytes() {
      let bytes = fullBytes
      for (const of of targets.values()) bytes += of.bytes
      return bytes
    },
  }
}

const NO_HEADERS: Headers = []
