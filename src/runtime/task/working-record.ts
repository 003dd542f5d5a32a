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
}

/** @param headersNow - of the record that the task has come to; none between records */
export function workingRecord(partition: number, headersNow: () => Headers): WorkingRecord {
  let headers: Headers | undefined
  const record: WorkingRecord = {
    topic: '',
    partition,
    offset: -1,
    lane: 0,
    get headers() {
      return headers ?? headersNow()
    },
    as(other, work) {
      const before = { topic: record.topic, offset: record.offset, lane: record.lane, headers }
      headers = other.headers
      record.topic = other.topic
      record.offset = other.offset
      record.lane = other.lane
      try {
        work()
      } finally {
        headers = before.headers
        record.topic = before.topic
        record.offset = before.offset
        record.lane = before.lane
      }
    },
  }
  return record
}
