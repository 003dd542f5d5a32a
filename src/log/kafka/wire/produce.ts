import type { TopicPartition } from '../../log.ts'
import { type PartitionResult, readByTopic, writeByTopic } from './by-topic.ts'
import type { Request } from './request.ts'
import { WireWriter } from './wire-writer.ts'

export interface PartitionBatch extends TopicPartition {
  readonly batch: Buffer
}

export interface Produced extends PartitionResult {
  readonly baseOffset: number
  readonly message: string | null
}

/** Produce v8, acknowledged by all replicas in sync. At most one batch of each partition. */
export function produceRequest(
  batches: readonly PartitionBatch[],
  transactionalId: string | null,
  timeoutMs: number,
): Request<readonly Produced[]> {
  const size = batches.reduce((sum, { topic, batch }) => sum + batch.length + 3 * topic.length + 16, 64)
  const body = new WireWriter(size + 3 * (transactionalId?.length ?? 0))
    .string(transactionalId)
    .int16(-1) // all replicas in sync
    .int32(timeoutMs)
  return {
    apiKey: 0,
    apiName: 'Produce',
    apiVersion: 8,
    body: writeByTopic(body, batches, (w, { partition, batch }) => w.int32(partition).bytes(batch)).finish(),
    decode: (reader) =>
      readByTopic(reader, (r, topic) => {
        const partition = r.int32()
        const error = r.int16()
        const baseOffset = r.int64()
        r.int64() // log append time
        r.int64() // log start offset
        const problems = r.array(() => ({ record: r.int32(), message: r.nullableString() }))
        const message = r.nullableString()
        return { topic, partition, error, baseOffset, message: problems[0]?.message ?? message }
      }),
  }
}
