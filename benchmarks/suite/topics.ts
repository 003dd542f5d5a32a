import type { Log } from 'millrace'
import { BatchWriter, ByteWriter, partitionFor } from 'millrace/testing'

const PARTITIONS = 4
/** About 20 KB of transactions: what a Java producer sends at its default batch.size. */
const BATCH_RECORDS = 200
const UNACKNOWLEDGED = 64

/** Topics of records with old timestamps: a broker that deletes by age would delete them. */
export async function createTopics(log: Log, topics: readonly string[], partitions = PARTITIONS): Promise<void> {
  await log.admin.create(topics.map((topic) => ({ topic, partitions, config: { 'retention.ms': '-1' } })))
}

/** A record as bytes; the writers are reused, the partition is Kafka's default. */
export type WriteRecord<T> = (of: T, key: ByteWriter, value: ByteWriter) => number

/** Fills a topic that must not exist yet. `write` appends key and value and returns the timestamp. */
export async function load<T>(log: Log, topic: string, records: Iterable<T>, write: WriteRecord<T>): Promise<void> {
  await createTopics(log, [topic])
  const producer = log.producer()
  await producer.init()
  const writers = Array.from({ length: PARTITIONS }, () => new BatchWriter(1 << 15))
  const key = new ByteWriter()
  const value = new ByteWriter()
  const sent: Promise<unknown>[] = []
  for (const record of records) {
    const timestamp = write(record, key.reset(), value.reset())
    const partition = partitionFor(key.buffer, PARTITIONS, 0, key.position)
    const writer = writers[partition]
    writer.appendFrom(timestamp, key, value)
    if (writer.count < BATCH_RECORDS) continue
    sent.push(producer.send(topic, partition, writer.finish()))
    if (sent.length >= UNACKNOWLEDGED) await Promise.all(sent.splice(0))
  }
  for (const [partition, writer] of writers.entries()) {
    if (writer.count > 0) sent.push(producer.send(topic, partition, writer.finish()))
  }
  await Promise.all(sent)
  await producer.close()
}

/** Records that a topic holds; undefined when it does not exist. */
export async function recordsIn(log: Log, topic: string): Promise<number | undefined> {
  const partitions = await partitionsOf(log, topic)
  if (partitions.length === 0) return undefined
  const starts = await log.admin.startOffsets(partitions)
  const ends = await log.admin.endOffsets(partitions)
  const sum = (of: readonly { readonly offset: number }[]) => of.reduce((total, { offset }) => total + offset, 0)
  return sum(ends) - sum(starts)
}

async function partitionsOf(log: Log, topic: string) {
  const count = (await log.admin.partitions([topic])).get(topic) ?? 0
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
}

type Batch = Awaited<ReturnType<ReturnType<Log['reader']>['fetch']>>[number]['batches'][number]

/** Reads what committed readers see of a topic, from its start to its present end. */
export async function readAll(log: Log, topic: string, visit: (batch: Batch) => void): Promise<void> {
  const partitions = await partitionsOf(log, topic)
  const reader = log.reader({ isolation: 'committed' })
  const ends = await log.admin.endOffsets(partitions)
  let open = (await log.admin.startOffsets(partitions)).map((start) => ({
    ...start,
    end: ends.find(({ partition }) => partition === start.partition)!.offset,
  }))
  for (;;) {
    open = open.filter(({ offset, end }) => offset < end)
    if (open.length === 0) break
    const fetched = await reader.fetch(open, {
      maxBytes: 16 << 20,
      maxBytesPerPartition: 1 << 20,
      maxWaitMs: 500,
    })
    for (const { partition, batches, next, corrupt } of fetched) {
      if (corrupt) throw corrupt.error
      for (const batch of batches) visit(batch)
      open.find((of) => of.partition === partition)!.offset = next
    }
  }
  await reader.close()
}
