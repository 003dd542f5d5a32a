import { avro, type Log, type SchemaRegistry } from 'millrace'
import { BatchWriter, ByteWriter, partitionFor } from 'millrace/testing'
import {
  type Event,
  eventAt,
  type GeneratedTransaction,
  type Transaction,
  transactionAt,
  USERS,
  type User,
  userAt,
} from './generate.ts'
import { topicOf } from './job.ts'
import { schema } from './schemas.ts'

export const PARTITIONS = 4
const BATCH_BYTES = 256 * 1024
/** An id that no registry gives: what a producer with the wrong registry would write. */
const UNKNOWN_SCHEMA = 0x7ffffff0

export interface FeedOptions {
  readonly log: Log
  /** Of the topology: prefixes the topics unless it is 'shop'. */
  readonly name: string
  readonly registry: SchemaRegistry
  readonly seed: number
  /** Transactions in the topic when it is done, those of earlier runs included. */
  readonly until: number
  /** Told how many transactions are written. */
  readonly onProgress?: (written: number) => void
  /** At most so many transactions a second. */
  readonly perSecond?: number
  readonly signal?: AbortSignal
}

interface Encoded {
  readonly key: Buffer | null
  readonly value: Buffer
  readonly timestamp: number
}

/**
 * Writes users, transactions and events. Each record has its place: a run that was killed goes on behind the last
 * record that is in the log, partition by partition, and nothing is written twice.
 */
export async function feed(options: FeedOptions): Promise<void> {
  const { log, registry, seed, until } = options
  const { name } = options
  const topics = ['transactions', 'users', 'events', 'revenue-per-minute', 'alerts'].map((topic) =>
    topicOf(name, topic),
  )
  // Event time lies where the generator puts it: nothing may be deleted for its age.
  await log.admin.create(topics.map((topic) => ({ topic, partitions: PARTITIONS, config: { 'retention.ms': '-1' } })))
  const users = await encoder<User>(topicOf(name, 'users'), 'user', registry)
  const events = await encoder<Event>(topicOf(name, 'events'), 'event', registry)
  const transactions = await encoder<Transaction>(topicOf(name, 'transactions'), 'transaction', registry)
  await write(options, topicOf(name, 'users'), USERS + Math.floor(until / 100), (i) => {
    const user = userAt(seed, i)
    return { key: Buffer.from(user.user_id), value: users(user), timestamp: user.updated_at }
  })
  await write(options, topicOf(name, 'events'), Math.floor(until / 4), (i) => {
    const event = eventAt(seed, i)
    return { key: Buffer.from(event.user_id), value: events(event), timestamp: event.occurred_at }
  })
  await write(
    options,
    topicOf(name, 'transactions'),
    until,
    (i) => encodeTransaction(transactionAt(seed, i), transactions),
    options,
  )
}

async function encoder<T>(topic: string, name: string, registry: SchemaRegistry): Promise<(value: T) => Buffer> {
  const codec = avro<T>(schema(name)).open({ topic, part: 'value', registry })
  await codec.prepare?.()
  const writer = new ByteWriter()
  return (value) => {
    codec.encode(value, writer.reset())
    return Buffer.from(writer.bytes())
  }
}

function encodeTransaction({ flaw, transaction }: GeneratedTransaction, encode: (of: Transaction) => Buffer): Encoded {
  const value = encode(transaction)
  if (flaw === 'bad-magic') value[0] = 0x42
  if (flaw === 'unknown-schema') value.writeInt32BE(UNKNOWN_SCHEMA, 1)
  const { user_id: user, created_at: timestamp } = transaction
  return { key: user === null ? null : Buffer.from(user), value, timestamp }
}

async function write(
  { log, signal }: FeedOptions,
  topic: string,
  count: number,
  at: (i: number) => Encoded,
  { onProgress, perSecond }: Pick<FeedOptions, 'onProgress' | 'perSecond'> = {},
): Promise<void> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
  const there = new Array<number>(PARTITIONS).fill(0)
  for (const { partition, offset } of await log.admin.endOffsets(partitions)) there[partition] = offset
  const placed = there.map(() => 0)
  const writers = partitions.map(() => new BatchWriter(BATCH_BYTES))
  const producer = log.producer()
  await producer.init()
  let sending: Promise<unknown>[] = []
  const started = Date.now()
  let written = 0
  const send = (partition: number) => sending.push(producer.send(topic, partition, writers[partition].finish()))
  for (let i = 0; i < count && !signal?.aborted; i++) {
    const { key, value, timestamp } = at(i)
    const partition = key === null ? i % PARTITIONS : partitionFor(key, PARTITIONS)
    if (placed[partition]++ < there[partition]) continue
    const writer = writers[partition]
    writer.append(timestamp, key, value)
    written++
    if (writer.size >= BATCH_BYTES) send(partition)
    const due = perSecond === undefined ? 0 : started + (written / perSecond) * 1000 - Date.now()
    if (sending.length >= 8 || due > 200) {
      if (due > 200) for (const [p, { count: waiting }] of writers.entries()) if (waiting > 0) send(p)
      await Promise.all(sending)
      sending = []
      onProgress?.(i + 1)
      if (due > 200) await new Promise((resolve) => setTimeout(resolve, due))
    }
  }
  for (const [partition, writer] of writers.entries()) if (writer.count > 0) send(partition)
  await Promise.all(sending)
  await producer.close()
  onProgress?.(count)
}
