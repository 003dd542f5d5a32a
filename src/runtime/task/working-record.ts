import type { RecordBatch } from '../../log/batch/record-batch.ts'
import type { Headers } from '../../record.ts'
import type { CurrentRecord } from '../../topology/processor.ts'
import { withoutOwn } from './lanes.ts'

/** The record in work; `headers` is worked out when asked for. */
export interface WorkingRecord extends CurrentRecord {
  topic: string
  readonly partition: number
  offset: number
  lane: number
  /** Where its bytes are; undefined for what comes of no one record. */
  batch: RecordBatch | undefined
  index: number
  /** See `ProcessorContext.as`. */
  as(other: CurrentRecord, work: () => void): void
  /** See `ProcessorContext.keep`. */
  keep(): KeptRecord
}

/** A record beyond its turn, with the bytes it was read from. */
export interface KeptRecord extends CurrentRecord {
  /** Undefined for what comes of no one record. */
  readonly source: RecordSource | undefined
}

/** Where a record's bytes are. */
export interface RecordSource {
  readonly batch: RecordBatch
  readonly index: number
}

export function workingRecord(partition: number): WorkingRecord {
  /** Of another record than the one that the bytes are of. */
  let headers: Headers | undefined
  const record: WorkingRecord = {
    topic: '',
    partition,
    offset: -1,
    lane: 0,
    batch: undefined,
    index: 0,
    get headers() {
      if (headers !== undefined) return headers
      const { batch } = record
      // What operators forward at a commit comes from no one record, and has no headers.
      return batch === undefined ? NO_HEADERS : withoutOwn(batch.headers(record.index))
    },
    as(other, work) {
      const { topic, offset, lane, batch, index } = record
      const before = headers
      headers = other.headers
      if ('source' in other) {
        const { source } = other as KeptRecord
        record.batch = source?.batch
        record.index = source?.index ?? 0
      }
      record.topic = other.topic
      record.offset = other.offset
      record.lane = other.lane
      try {
        work()
      } finally {
        headers = before
        record.batch = batch
        record.index = index
        record.topic = topic
        record.offset = offset
        record.lane = lane
      }
    },
    keep() {
      const { topic, offset, lane, batch, index, headers } = record
      return { topic, partition, offset, lane, headers, source: batch && { batch, index } }
    },
  }
  return record
}

const NO_HEADERS: Headers = []
