import type { RecordBatch } from '../../log/batch/record-batch.ts'
import type { Header, Headers } from '../../record.ts'

/**
 * Time through a repartition topic. Kafka Streams takes the highest timestamp of all upstream tasks as the time
 * downstream, so that a task which is ahead makes the records of one that is behind late: results depend on who was
 * faster. Here each upstream task is a lane with a time of its own (docs/decisions/0003-lanes.md): the first record of a
 * batch says which lane the batch belongs to, and a lane that sends nothing to a partition in a commit tells it how far
 * its time has come, with a marker (no key, no value).
 */
const LANE = 'millrace-lane'
const MARKER = 'millrace-time'

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function laneHeaders(lane: number): readonly Header[] {
  return [[LANE, int32(lane)]]
}

/** Of a marker; the first of a batch has those of its lane, too. */
export const MARKER_HEADERS: readonly Header[] = [[MARKER, null]]

/** The lane that a batch of a repartition topic came through; 0 for records that somebody else put there. */
export function laneOf(batch: RecordBatch): number {
  const lane = batch.headers(0).find(([name]) => name === LANE)?.[1]
  return lane?.length === 4 ? Buffer.from(lane.buffer, lane.byteOffset, 4).readInt32BE() : 0
}

/** Whether a record without a key is a marker of time and not a record. */
export function isMarker(headers: Headers): boolean {
  return headers.some(([name]) => name === MARKER)
}

/** The headers that a user may see. */
export function withoutOwn(headers: Headers): Headers {
  return headers.length === 0 ? headers : headers.filter(([name]) => name !== LANE && name !== MARKER)
}
