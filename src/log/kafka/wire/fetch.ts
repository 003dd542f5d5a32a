import type { Isolation, Position } from '../../log.ts'
import { type PartitionResult, readByTopic, writeByTopic } from './by-topic.ts'
import type { Request } from './request.ts'
import { WireWriter } from './wire-writer.ts'

export interface FetchLimits {
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly maxBytesPerPartition: number
  readonly isolation: Isolation
}

/** A transaction that was rolled back, and where its first record of this partition is. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface PartitionData extends PartitionResult {
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** Record batches, of which the last may be cut off: a view of the answer. */
  readonly records: Buffer
}

const NO_RECORDS = Buffer.alloc(0)

/** Fetch v11, without a session. The broker serves the partitions in the order given. */
export function fetchRequest(
  positions: readonly (Position & { readonly maxBytes?: number })[],
  limits: FetchLimits,
): Request<{ readonly error: number; readonly partitions: readonly PartitionData[] }> {
  const { maxWaitMs, maxBytes, maxBytesPerPartition, isolation } = limits
  const body = new WireWriter(64 + positions.length * 32)
    .int32(-1) // not a replica
    .int32(maxWaitMs)
    .int32(1) // answer as soon as there is anything
    .int32(maxBytes)
    .int8(isolation === 'committed' ? 1 : 0)
    .int32(0) // no session
    .int32(-1)
  writeByTopic(body, positions, (w, position) =>
    w
      .int32(position.partition)
      .int32(-1) // leader epoch: not checked
      .int64(position.offset)
      .int64(-1) // log start offset: for replicas only
      .int32(position.maxBytes ?? maxBytesPerPartition),
  )
  return {
    apiKey: 1,
    apiName: 'Fetch',
    apiVersion: 11,
    waitMs: maxWaitMs,
    body: body
      .int32(0) // nothing to forget from a session
      .string('') // rack
      .finish(),
    decode(reader) {
      reader.int32() // throttle time
      const error = reader.int16()
      reader.int32() // session id
      const partitions = readByTopic(reader, (r, topic) => {
        const partition = r.int32()
        const partitionError = r.int16()
        const highWatermark = r.int64()
        const lastStableOffset = r.int64()
        r.int64() // log start offset
        const aborted = r.array(() => ({ producerId: r.int64(), firstOffset: r.int64() }))
        r.int32() // preferred read replica
        const records = r.bytes() ?? NO_RECORDS
        return { topic, partition, error: partitionError, highWatermark, lastStableOffset, aborted, records }
      })
      return { error, partitions }
    },
  }
}
