import type { Headers, Log } from 'millrace'

/** A record as it is in the log. */
export interface RawRecord {
  readonly partition: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
}

/** Everything that a committed reader sees in a topic, partition by partition; nothing where there is no such topic. */
export async function* readTopic(log: Log, topic: string): AsyncGenerator<RawRecord> {
  const count = (await log.admin.partitions([topic])).get(topic) ?? 0
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  const starts = await log.admin.startOffsets(partitions)
  const ends = await log.admin.endOffsets(partitions)
  const reader = log.reader()
  const limits = { maxBytes: 8 << 20, maxBytesPerPartition: 8 << 20, maxWaitMs: 1_000 }
  for (const [i, { partition, offset: end }] of ends.entries()) {
    for (let { offset } = starts[i]; offset < end; ) {
      const [fetched] = await reader.fetch([{ topic, partition, offset }], limits)
      if (fetched === undefined) continue
      for (const batch of fetched.batches) {
        const { buffer, count, offsets, timestamps, keyStart, keyEnd, valueStart, valueEnd } = batch
        const bytes = (start: number, end: number) => (start < 0 ? null : Buffer.from(buffer.subarray(start, end)))
        for (let r = 0; r < count; r++) {
          if (offsets[r] < offset) continue
          const key = bytes(keyStart[r], keyEnd[r])
          const value = bytes(valueStart[r], valueEnd[r])
          yield { partition, timestamp: timestamps[r], key, value, headers: batch.headers(r) }
        }
      }
      offset = fetched.next
    }
  }
  await reader.close()
}
