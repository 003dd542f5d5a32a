import type { Isolation, NewTopic, Position, TopicPartition } from '../../log.ts'
import { type PartitionResult, readByTopic, writeByTopic } from './by-topic.ts'
import type { Request } from './request.ts'
import { WireWriter } from './wire-writer.ts'

export interface TopicResult {
  readonly topic: string
  readonly error: number
  readonly message: string | null
}

/** CreateTopics v4. Replication factor -1: the broker's default. */
export function createTopicsRequest(
  topics: readonly Required<NewTopic>[],
  timeoutMs: number,
): Request<readonly TopicResult[]> {
  const body = new WireWriter()
    .array(topics, (w, { topic, partitions, replicationFactor, config }) =>
      w
        .string(topic)
        .int32(partitions)
        .int16(replicationFactor)
        .int32(0) // no replica assignment by hand
        .array(Object.entries(config), (c, [name, value]) => c.string(name).string(value)),
    )
    .int32(timeoutMs)
    .boolean(false) // do it, do not only validate
  return {
    apiKey: 19,
    apiName: 'CreateTopics',
    apiVersion: 4,
    waitMs: timeoutMs,
    body: body.finish(),
    decode(reader) {
      reader.int32() // throttle time
      return reader.array((r) => ({ topic: r.string(), error: r.int16(), message: r.nullableString() }))
    },
  }
}

/** DeleteTopics v3. */
export function deleteTopicsRequest(topics: readonly string[], timeoutMs: number): Request<readonly TopicResult[]> {
  return {
    apiKey: 20,
    apiName: 'DeleteTopics',
    apiVersion: 3,
    waitMs: timeoutMs,
    body: new WireWriter()
      .array(topics, (w, topic) => w.string(topic))
      .int32(timeoutMs)
      .finish(),
    decode(reader) {
      reader.int32() // throttle time
      return reader.array((r) => ({ topic: r.string(), error: r.int16(), message: null }))
    },
  }
}

/** DeleteRecords v1: forgets what is before the offsets. */
export function deleteRecordsRequest(
  positions: readonly Position[],
  timeoutMs: number,
): Request<readonly PartitionResult[]> {
  const body = writeByTopic(new WireWriter(), positions, (w, { partition, offset }) => w.int32(partition).int64(offset))
  return {
    apiKey: 21,
    apiName: 'DeleteRecords',
    apiVersion: 1,
    waitMs: timeoutMs,
    body: body.int32(timeoutMs).finish(),
    decode(reader) {
      reader.int32() // throttle time
      return readByTopic(reader, (r, topic) => {
        const partition = r.int32()
        r.int64() // low watermark
        return { topic, partition, error: r.int16() }
      })
    },
  }
}

/** A setting that has no value, or may not be seen, is null. */
export interface TopicSetting {
  readonly topic: string
  readonly error: number
  readonly message: string | null
  readonly value: string | null
}

const TOPIC = 2

/** DescribeConfigs v1, of one setting. The value is the one that holds, wherever it is set. */
export function topicSettingRequest(topics: readonly string[], setting: string): Request<readonly TopicSetting[]> {
  const body = new WireWriter()
    .array(topics, (w, topic) =>
      w
        .int8(TOPIC)
        .string(topic)
        .array([setting], (s, name) => s.string(name)),
    )
    .boolean(false) // where the value comes from is not asked
  return {
    apiKey: 32,
    apiName: 'DescribeConfigs',
    apiVersion: 1,
    body: body.finish(),
    decode(reader) {
      reader.int32() // throttle time
      return reader.array((r) => {
        const [error, message] = [r.int16(), r.nullableString()]
        r.int8() // a topic
        const topic = r.string()
        const values = r.array((c) => {
          const [name, value] = [c.string(), c.nullableString()]
          c.boolean() // read only
          c.int8() // where it is set
          c.boolean() // sensitive
          c.array((synonym) => [synonym.string(), synonym.nullableString(), synonym.int8()])
          return { name, value }
        })
        return { topic, error, message, value: values.find(({ name }) => name === setting)?.value ?? null }
      })
    },
  }
}

/** Special timestamps of ListOffsets. */
export const EARLIEST = -2
export const LATEST = -1

/** ListOffsets v5. LATEST means the last stable offset when `committed`, else the high watermark. */
export function listOffsetsRequest(
  partitions: readonly TopicPartition[],
  timestamp: number,
  isolation: Isolation,
): Request<readonly (PartitionResult & { readonly offset: number })[]> {
  const body = new WireWriter()
    .int32(-1) // not a replica
    .int8(isolation === 'committed' ? 1 : 0)
  writeByTopic(body, partitions, (w, { partition }) =>
    w
      .int32(partition)
      .int32(-1) // leader epoch: not checked
      .int64(timestamp),
  )
  return {
    apiKey: 2,
    apiName: 'ListOffsets',
    apiVersion: 5,
    body: body.finish(),
    decode(reader) {
      reader.int32() // throttle time
      return readByTopic(reader, (r, topic) => {
        const partition = r.int32()
        const error = r.int16()
        r.int64() // timestamp
        const offset = r.int64()
        r.int32() // leader epoch
        return { topic, partition, error, offset }
      })
    },
  }
}
