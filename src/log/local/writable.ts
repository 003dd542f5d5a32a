import { MillraceError } from '../../errors.ts'
import { batchHeader, corrupt } from '../batch/batch-header.ts'
import { RECORDS } from '../batch/layout.ts'
import type { Partition } from './partition.ts'

/** The limit of a topic that has none: what SQLite takes in one value, less a margin. */
const MAX_BATCH = 900_000_000

/** Bytes of the largest batch that a topic of this configuration takes. */
export function largestBatch(config: Readonly<Record<string, string>> | undefined): number {
  return Number(config?.['max.message.bytes'] ?? MAX_BATCH)
}

/** Looks whether a batch can be written, and counts its records. Throws `CORRUPT_BATCH`, `RECORD_TOO_LARGE`. */
export function checkWritable(
  batch: Buffer,
  { topic, index }: Partition,
  config: Readonly<Record<string, string>> | undefined,
): number {
  const where = { topic, partition: index }
  if (batch.length < RECORDS) throw corrupt(`a batch of ${batch.length} bytes cannot be written`, where)
  const { size, magic, count, baseOffset, lastOffset } = batchHeader(batch, 0)
  if (magic !== 2 || size !== batch.length || count < 1 || lastOffset - baseOffset !== count - 1)
    throw corrupt('what is to be written is not one record batch', where, 'write what BatchWriter#finish returns')
  const limit = largestBatch(config)
  if (size > limit)
    throw new MillraceError('RECORD_TOO_LARGE', `the batch has ${size} bytes, the topic takes ${limit}`, {
      ...where,
      hint: "finish batches earlier, or raise the topic's max.message.bytes",
    })
  return count
}
