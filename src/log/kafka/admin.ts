import { isRetriable, MillraceError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import type { Isolation, LogAdmin, NewTopic, Position, TopicPartition } from '../log.ts'
import { askLeaders } from './ask-leaders.ts'
import type { Transport } from './transport.ts'
import { errorCodes, isRetriableCode, kafkaError } from './wire/error-codes.ts'
import type { Request } from './wire/request.ts'
import {
  createTopicsRequest,
  deleteRecordsRequest,
  deleteTopicsRequest,
  EARLIEST,
  LATEST,
  listOffsetsRequest,
  type TopicResult,
  topicSettingRequest,
} from './wire/topics.ts'

const AFTER_MAX = 'message.timestamp.after.max.ms'
const BROKER_WAIT_MS = 15_000
const PATIENCE_MS = 20_000

/** Topics and offsets of a cluster. */
export function kafkaAdmin(transport: Transport): LogAdmin {
  async function offsets(
    partitions: readonly TopicPartition[],
    timestamp: number,
    isolation: Isolation = 'committed',
  ): Promise<Position[]> {
    const request = (mine: readonly TopicPartition[]) => listOffsetsRequest(mine, timestamp, isolation)
    const answers = await askLeaders(transport, partitions, 'reading the offsets', request)
    // Brokers answer in an order of their own.
    const found = new Map(answers.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]))
    return partitions.map(({ topic, partition }) => ({ topic, partition, offset: found.get(`${topic}/${partition}`)! }))
  }

  return {
    partitions: (topics) => transport.partitions(topics),

    async create(topics) {
      if (topics.length === 0) return
      const defaultFactor = transport.brokers().length === 1 ? 1 : -1
      const complete = topics.map(({ replicationFactor = defaultFactor, config = {}, ...topic }) => ({
        ...topic,
        replicationFactor,
        config,
      }))
      const make = (wanted: typeof complete) =>
        askController(
          transport,
          wanted,
          'creating a topic',
          (open) => createTopicsRequest(open, BROKER_WAIT_MS),
          errorCodes.TOPIC_ALREADY_EXISTS,
        )
      try {
        await make(complete)
      } catch (error) {
        // Brokers before 3.6 do not know it, and do not refuse what it allows (KIP-937).
        if (!(error instanceof MillraceError) || !error.message.includes(AFTER_MAX)) throw error
        await make(complete.map(({ config: { [AFTER_MAX]: _, ...config }, ...topic }) => ({ ...topic, config })))
      }
      await until(transport, topics, (counts) => topics.every(({ topic }) => counts.has(topic)))
      const leaders = topics.flatMap(({ topic, partitions }) => (partitions > 0 ? [{ topic, partition: 0 }] : []))
      await offsets(leaders, EARLIEST)
    },

    async delete(topics) {
      if (topics.length === 0) return
      const named = topics.map((topic) => ({ topic }))
      await askController(
        transport,
        named,
        'deleting a topic',
        (open) =>
          deleteTopicsRequest(
            open.map(({ topic }) => topic),
            BROKER_WAIT_MS,
          ),
        errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
      )
      await until(transport, named, (counts) => counts.size === 0)
    },

    startOffsets: (partitions) => offsets(partitions, EARLIEST),
    endOffsets: (partitions, isolation) => offsets(partitions, LATEST, isolation),

    async largestBatches(topics) {
      const found = new Map<string, number>()
      if (topics.length === 0) return found
      const answers = await transport.callAny(topicSettingRequest(topics, 'max.message.bytes'))
      for (const { topic, error, message, value } of answers) {
        // To see it takes the right to describe the topic's configuration, which not every producer has.
        if (isRetriableCode(error)) throw kafkaError(error, 'reading the configuration', { topic, detail: message })
        if (error === errorCodes.NONE && value !== null) found.set(topic, Number(value))
      }
      return found
    },

    async trim(positions) {
      const request = (mine: readonly Position[]) => deleteRecordsRequest(mine, BROKER_WAIT_MS)
      await askLeaders(transport, positions, 'trimming the topic', request)
    },
  }
}

/** Sends to the controller until each topic is done; `done` is the error that says it was done before. */
async function askController<T extends { readonly topic: string }>(
  transport: Transport,
  topics: readonly T[],
  what: string,
  request: (topics: readonly T[]) => Request<readonly TopicResult[]>,
  done: number,
): Promise<void> {
  const deadline = systemClock.now() + PATIENCE_MS
  let open = topics
  for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
    let failure: unknown
    try {
      const failed = new Set<string>()
      for (const { topic, error, message } of await transport.call(await transport.controller(), request(open))) {
        if (error === errorCodes.NONE || error === done) continue
        const problem = kafkaError(error, what, { topic, detail: message })
        if (!problem.retriable) throw problem
        failure = problem
        failed.add(topic)
      }
      open = open.filter(({ topic }) => failed.has(topic))
      if (open.length === 0) return
    } catch (error) {
      if (!isRetriable(error)) throw error
      failure = error
    }
    if (systemClock.now() > deadline) throw failure
    await systemClock.sleep(wait)
    await transport.refresh([]).catch(() => {}) // who is controller may have changed; the next call says what is wrong
  }
}

/** Waits until the brokers have heard of the change. */
async function until(
  transport: Transport,
  topics: readonly Pick<NewTopic, 'topic'>[],
  isSo: (counts: Map<string, number>) => boolean,
): Promise<void> {
  const names = topics.map(({ topic }) => topic)
  const deadline = systemClock.now() + PATIENCE_MS
  for (let wait = 5; ; wait = Math.min(wait * 2, 200)) {
    if (isSo(await transport.partitions(names))) return
    if (systemClock.now() > deadline) {
      const message = `the brokers have not heard of the change of ${names.join(', ')} after ${PATIENCE_MS} ms`
      throw new MillraceError('UNAVAILABLE', message, { retriable: true })
    }
    await systemClock.sleep(wait)
  }
}
