import { BatchWriter } from '../../src/log/batch/batch-writer.ts'
import { partitionFor } from '../../src/log/batch/partitioner.ts'
import type { Log } from '../../src/log/log.ts'

export interface TextRecord {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

/** Writes records with text keys and values, spread as any Kafka client would. */
export async function writeRecords(log: Log, topic: string, records: readonly TextRecord[]): Promise<void> {
  const partitions = (await log.admin.partitions([topic])).get(topic)!
  const writers = Array.from({ length: partitions }, () => new BatchWriter())
  records.forEach(({ key, value, timestamp }, i) => {
    const bytes = key === null ? null : Buffer.from(key)
    const partition = bytes === null ? i % partitions : partitionFor(bytes, partitions)
    writers[partition].append(timestamp, bytes, value === null ? null : Buffer.from(value))
  })
  const producer = log.producer()
  await producer.init()
  await Promise.all(
    writers.flatMap((writer, partition) => (writer.count ? [producer.send(topic, partition, writer.finish())] : [])),
  )
  await producer.close()
}

/** Everything a committed reader sees in a topic, partition by partition; or of one partition, from there on. */
export async function readRecords(
  log: Log,
  topic: string,
  from?: { readonly partition: number; readonly offset: number },
): Promise<(TextRecord & { partition: number })[]> {
  const partitions = (await log.admin.partitions([topic])).get(topic) ?? 0
  const all = from
    ? [{ topic, partition: from.partition }]
    : Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const ends = await log.admin.endOffsets(all)
  const starts = await log.admin.startOffsets(all)
  const reader = log.reader()
  const records: (TextRecord & { partition: number })[] = []
  for (const [i, { partition, offset: end }] of ends.entries()) {
    let offset = from?.offset ?? starts[i].offset
    while (offset < end) {
      const [fetched] = await reader.fetch([{ topic, partition, offset }], {
        maxBytes: 1 << 24,
        maxBytesPerPartition: 1 << 24,
        maxWaitMs: 100,
      })
      // A broker that is busy may answer with nothing.
      if (fetched === undefined) continue
      for (const batch of fetched.batches) {
        // latin1, so that the bytes of windowed keys stay apart; the tests' texts are ASCII.
        const text = (from: number, to: number) => (from < 0 ? null : batch.buffer.latin1Slice(from, to))
        for (let i = 0; i < batch.count; i++) {
          if (batch.offsets[i] < offset) continue
          records.push({
            partition,
            key: text(batch.keyStart[i], batch.keyEnd[i]),
            value: text(batch.valueStart[i], batch.valueEnd[i]),
            timestamp: batch.timestamps[i],
          })
        }
      }
      offset = fetched.next
    }
  }
  await reader.close()
  return records
}
