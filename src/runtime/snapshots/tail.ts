import { BatchWriter } from '../../log/batch/batch-writer.ts'
import type { RecordBatch } from '../../log/batch/record-batch.ts'

/** More than this is not kept: a new base is then written instead. */
const MOST_BYTES = 32 * 1024 * 1024

/** What was read from a changelog behind a snapshot: changes that the next snapshot must have, too. */
export interface Tail {
  add(batch: RecordBatch): void
  /** As record batches; undefined when it was too much to keep. */
  take(): Buffer[] | undefined
}

export function createTail(): Tail {
  const writer = new BatchWriter(4096)
  let parts: Buffer[] | undefined = []
  let bytes = 0
  return {
    add({ buffer, count, timestamps, keyStart, keyEnd, valueStart, valueEnd }) {
      if (parts === undefined) return
      for (let i = 0; i < count; i++) {
        const value = valueStart[i] < 0 ? null : buffer.subarray(valueStart[i], valueEnd[i])
        writer.append(timestamps[i], buffer.subarray(keyStart[i], keyEnd[i]), value)
      }
      const part = Buffer.from(writer.finish())
      parts.push(part)
      bytes += part.length
      if (bytes > MOST_BYTES) parts = undefined
    },
    take: () => parts,
  }
}
