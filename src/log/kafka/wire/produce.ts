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

/** Produce v8, acknowledged by all replicas in sync. At most one batch of each partition; they are not copied. */
export function produceRequest(
  batches: readonly PartitionBatch[],
  transactionalId: string | null,
  timeoutMs: number,
): Request<readonly Produced[]> {
  const writer = new WireWriter(64 + batches.length * 64)
    .string(transactionalId)
    .int16(-1) // all replicas in sync
    .int32(timeoutMs)
  const [body, ...tail] = writeByTopic(writer, batches, (w, { partition, batch }) =>
    w.int32(partition).lend(batch),
  ).finishPieces()
  return {
    apiKey: 0,
    apiName: 'Produce',
    apiVersion: 8,
    body,
    tail,
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
