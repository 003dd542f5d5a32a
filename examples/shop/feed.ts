import { setTimeout as delay } from 'node:timers/promises'
import { avro, type Log, type SchemaRegistry } from 'millrace'
import { lane, spoilers } from '../common/lane.ts'
import { schema } from '../common/schemas.ts'
import { type Event, eventAt, type Transaction, transactionAt, USERS, type User, userAt } from './generate.ts'
import { topicOf } from './job.ts'

export const PARTITIONS = 4
/** Batches on their way at a time. */
const MOST_SENDING = 8
/** How far ahead of its pace the feed may be before it rests, in ms. */
const REST_MS = 200

export interface FeedOptions {
  readonly log: Log
  /** Of the topology: prefixes the topics unless it is 'shop'. */
  readonly name: string
  readonly registry: SchemaRegistry
  readonly seed: number
}

export interface FeedProgress {
  /** Told how many transactions are written. */
  readonly onProgress?: (written: number) => void
  /** At most so many transactions a second. */
  readonly perSecond?: number
  readonly signal?: AbortSignal
}

/** Writes users, transactions and events, as a shop would: all three as time goes by. */
export interface Feed {
  /** Resolves when the topic holds so many transactions, those of earlier runs included, or when it was aborted. */
  writeUntil(transactions: number, progress?: FeedProgress): Promise<void>
  close(): Promise<void>
}

/** Makes the topics of the shop that are not there. */
export async function createTopics(log: Log, name: string): Promise<void> {
  const topics = ['transactions', 'users', 'events', 'revenue-per-minute', 'alerts']
  // Event time lies where the generator puts it: nothing may be deleted for its age.
  const config = { 'retention.ms': '-1' }
  await log.admin.create(topics.map((topic) => ({ topic: topicOf(name, topic), partitions: PARTITIONS, config })))
}

/**
 * Each record has its place: a feed that was killed goes on behind the last record that is in the log, partition by
 * partition, and nothing is written twice.
 */
export async function openFeed({ log, name, registry, seed }: FeedOptions): Promise<Feed> {
  await createTopics(log, name)
  const producer = log.producer()
  await producer.init()
  let sending: Promise<unknown>[] = []
  const send = (topic: string, partition: number, bytes: Buffer) => sending.push(producer.send(topic, partition, bytes))
  const on = { log, registry, partitions: PARTITIONS, send }
  const open = <T>(topic: string, of: string) => lane(topicOf(name, topic), avro<T>(schema(of)), on)
  const users = await open<User>('users', 'user')
  const events = await open<Event>('events', 'event')
  const transactions = await open<Transaction>('transactions', 'transaction')
  const lanes = [users, events, transactions]
  let next = 0

  const writeUser = (i: number) => {
    const user = userAt(seed, i)
    users.write(i, user.user_id, user.updated_at, user)
  }
  const writeEvent = (i: number) => {
    const event = eventAt(seed, i)
    events.write(i, event.user_id, event.occurred_at, event)
  }
  const writeTransaction = (i: number) => {
    const { flaw, transaction } = transactionAt(seed, i)
    const spoil = flaw === 'bad-magic' || flaw === 'unknown-schema' ? spoilers[flaw] : undefined
    transactions.write(i, transaction.user_id, transaction.created_at, transaction, spoil)
  }
  const settle = async () => {
    const sent = sending
    sending = []
    await Promise.all(sent)
  }
  const sendAll = () => {
    for (const each of lanes) each.flush()
    return settle()
  }

  return {
    async writeUntil(count, { onProgress, perSecond = Number.POSITIVE_INFINITY, signal } = {}) {
      const started = Date.now()
      const from = next
      if (next === 0) for (let i = 0; i < USERS; i++) writeUser(i)
      while (next < count && !signal?.aborted) {
        if (next % 100 === 99) writeUser(USERS + Math.floor(next / 100))
        if (next % 4 === 3) writeEvent(Math.floor(next / 4))
        writeTransaction(next++)
        const ahead = started + ((next - from) / perSecond) * 1000 - Date.now()
        if (sending.length < MOST_SENDING && ahead < REST_MS) continue
        if (ahead >= REST_MS) await sendAll()
        else await settle()
        onProgress?.(next)
        if (ahead >= REST_MS) await delay(ahead, undefined, { signal }).catch(() => {})
      }
      await sendAll()
      onProgress?.(next)
    },
    close: () => producer.close(),
  }
}
