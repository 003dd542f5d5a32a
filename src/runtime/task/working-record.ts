import type { RecordBatch } from '../../log/batch/record-batch.ts'
import type { Headers } from '../../record.ts'
import type { CurrentRecord } from '../../topology/processor.ts'

/** The record in work; `headers` is worked out when asked for. */
export interface WorkingRecord extends CurrentRecord {
  topic: string
  readonly partition: number
  offset: number
  lane: number
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

/**
 * @param headersNow - of the record that the task has come to; none between records
 * @param sourceNow - its bytes
 */
export function workingRecord(
  partition: number,
  headersNow: () => Headers,
  sourceNow: () => RecordSource | undefined,
): WorkingRecord {
  let headers: Headers | undefined
  let source: RecordSource | undefined
  const record: WorkingRecord = {
    topic: '',
    partition,
    offset: -1,
    lane: 0,
    get headers() {
      return headers ?? headersNow()
    },
    as(other, work) {
      const before = { topic: record.topic, offset: record.offset, lane: record.lane, headers, source }
      headers = other.headers
      source = 'source' in other ? (other as KeptRecord).source : source
      record.topic = other.topic
      record.offset = other.offset
      record.lane = other.lane
      try {
        work()
      } finally {
        headers = before.headers
        source = before.source
        record.topic = before.topic
        record.offset = before.offset
        record.lane = before.lane
      }
    },
    keep: () => ({
      topic: record.topic,
      partition,
      offset: record.offset,
      lane: record.lane,
      headers: record.headers,
      source: source ?? sourceNow(),
    }),
  }
  return record
}
