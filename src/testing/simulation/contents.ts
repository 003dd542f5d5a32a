import { MillraceError } from '../../errors.ts'
import { BatchWriter } from '../../log/batch/batch-writer.ts'
import { partitionFor } from '../../log/batch/partitioner.ts'
import type { MemoryLog } from '../../log/memory.ts'
import type { Headers } from '../../record.ts'
import { ByteWriter, byteSource } from '../../serde/bytes.ts'
import type { RecordPart, SchemaRegistry } from '../../serde/serde.ts'
import type { AnySerde } from '../../topology/node.ts'
import type { Plan } from '../../topology/plan.ts'

/** A record for a topic that the topology reads. */
export interface SimulatedInput {
  readonly topic: string
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
  readonly headers?: Headers
}

/** A record as a committed reader finds it. */
export interface TopicRecord<K = unknown, V = unknown> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly partition: number
  readonly offset: number
  readonly headers: Headers
}

interface TopicSerdes {
  readonly key?: AnySerde
  readonly value?: AnySerde
}

/** Topics that the user names: those read and those written, without internal ones. */
export function userTopics(plan: Plan): string[] {
  return [...serdesOf(plan).keys()]
}

function serdesOf(plan: Plan): Map<string, TopicSerdes> {
  const serdes = new Map<string, TopicSerdes>()
  for (const { nodes } of plan.subtopologies) {
    for (const { node } of nodes) if (node.source) serdes.set(node.source.topic, node.source)
  }
  for (const source of plan.globals) serdes.set(source.topic, source)
  for (const { nodes } of plan.subtopologies) {
    for (const { node } of nodes) {
      if (node.target && !node.target.repartition && !serdes.has(node.target.topic)) {
        serdes.set(node.target.topic, node.target)
      }
    }
  }
  return serdes
}

interface EncodedRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: Headers
}

/** The input, encoded once; `batches` gives the records from `first` to before `end` as batches by partition. */
export function encodeInput(
  plan: Plan,
  input: readonly SimulatedInput[],
  partitions: number,
  registry: SchemaRegistry | undefined,
) {
  const serdes = serdesOf(plan)
  const writer = new ByteWriter()
  const encode = (topic: string, part: RecordPart, of: unknown): Buffer | null => {
    if (of === null || of === undefined) return null
    const found = serdes.get(topic)
    if (found === undefined)
      throw new MillraceError('MISSING_TOPIC', 'the topology does not read this topic', { topic })
    const codec = found[part]?.open({ topic, part, registry })
    if (codec === undefined) return Buffer.from(of as Uint8Array)
    codec.prepare?.()
    codec.encode(of, writer.reset())
    return Buffer.from(writer.bytes())
  }
  const records = input.map(({ topic, key, value, timestamp, headers = [] }, i): EncodedRecord => {
    const keyBytes = encode(topic, 'key', key)
    const partition = keyBytes === null ? i % partitions : partitionFor(keyBytes, partitions)
    return { topic, partition, key: keyBytes, value: encode(topic, 'value', value), timestamp, headers }
  })
  return {
    length: records.length,
    batches(first: number, end: number) {
      const writers = new Map<string, { topic: string; partition: number; writer: BatchWriter }>()
      for (const { topic, partition, key, value, timestamp, headers } of records.slice(first, end)) {
        const place = `${topic}/${partition}`
        let to = writers.get(place)
        if (to === undefined) writers.set(place, (to = { topic, partition, writer: new BatchWriter(1024) }))
        to.writer.append(timestamp, key, value, headers)
      }
      return [...writers.values()].map(({ topic, partition, writer: of }) => ({ topic, partition, bytes: of.finish() }))
    },
  }
}

/** Everything that a committed reader finds in the user's topics, and in that of the dead letters as bytes. */
export async function topicContents(
  plan: Plan,
  log: MemoryLog,
  registry: SchemaRegistry | undefined,
): Promise<Map<string, TopicRecord[]>> {
  const contents = new Map<string, TopicRecord[]>()
  const reader = log.reader()
  const letters = `${plan.application}-dead-letters`
  for (const [topic, serdes] of serdesOf(plan).set(letters, {})) {
    const decode = (part: RecordPart, bytes: Buffer | null): unknown => {
      if (bytes === null || serdes[part] === undefined) return bytes
      return serdes[part].open({ topic, part, registry }).decode(byteSource(bytes), 0, bytes.length)
    }
    const records: TopicRecord[] = []
    const partitions = (await log.admin.partitions([topic])).get(topic)!
    for (let partition = 0; partition < partitions; partition++) {
      const [{ offset: end }] = await log.admin.endOffsets([{ topic, partition }])
      for (let offset = 0; offset < end; ) {
        const limits = { maxBytes: 1 << 24, maxBytesPerPartition: 1 << 24, maxWaitMs: 0 }
        const [{ batches, next }] = await reader.fetch([{ topic, partition, offset }], limits)
        for (const batch of batches) {
          const { buffer, count, offsets, timestamps, keyStart, keyEnd, valueStart, valueEnd } = batch
          const bytes = (from: number, to: number) => (from < 0 ? null : Buffer.from(buffer.subarray(from, to)))
          for (let i = 0; i < count; i++) {
            const key = decode('key', bytes(keyStart[i], keyEnd[i]))
            const value = decode('value', bytes(valueStart[i], valueEnd[i]))
            const headers = batch.headers(i)
            records.push({ key, value, timestamp: timestamps[i], partition, offset: offsets[i], headers })
          }
        }
        offset = next
      }
    }
    contents.set(topic, records)
  }
  await reader.close()
  return contents
}
