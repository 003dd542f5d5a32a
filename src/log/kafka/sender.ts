import { isRetriable, MillraceError, toError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import { batchHeader } from '../batch/batch-header.ts'
import { stampBatch } from '../batch/batch-writer.ts'
import type { TopicPartition } from '../log.ts'
import { groupByLeader } from './ask-leaders.ts'
import { type Entry, type PartitionQueue, partitionQueue } from './partition-queue.ts'
import type { Broker, Transport } from './transport.ts'
import { errorCodes, isFencing, isRetriableCode, kafkaError } from './wire/error-codes.ts'
import { type Produced, produceRequest } from './wire/produce.ts'
import type { ProducerIdentity } from './wire/transactions.ts'

/** More than five, and the broker cannot tell a batch that comes twice (KIP-98). */
const MAX_IN_FLIGHT = 5
/** Batches of several partitions share a request up to this size. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024
const MAX_PAUSE_MS = 1000

export interface SenderOptions {
  readonly transport: Transport
  readonly transactionalId: string | null
  readonly requestTimeoutMs: number
  /** How long a batch may take before the sender fails. */
  readonly deliveryTimeoutMs: number
  /** Awaited before the first batch of each partition is sent; called again for all after `forgetPartitions`. */
  enlist?(partitions: readonly TopicPartition[]): Promise<void>
  /** Gets another identity after the broker has lost track of this one. Without it the sender fails. */
  renew?(): Promise<ProducerIdentity>
}

/** Brings batches into their partitions, in order, once each, a few requests at a time to every leader. */
export interface Sender {
  send(topic: string, partition: number, batch: Buffer): Promise<{ offset: number }>
  /** Sequence numbers start again from 0 under the new identity. Only while nothing is queued. */
  identify(identity: ProducerIdentity): void
  /** Why nothing can be sent any more. */
  readonly failure: MillraceError | undefined
  fail(error: MillraceError): void
  /** Resolves when nothing is queued or under way. */
  drained(): Promise<void>
  /**
   * Rejects what is not under way and waits for the rest, without sending anything again. False when it is not known of
   * every batch whether it arrived: then only a new identity can go on.
   */
  cancel(reason: MillraceError): Promise<boolean>
  forgetPartitions(): void
}

export function sender(options: SenderOptions): Sender {
  const { transport, transactionalId } = options
  const queues = new Map<string, PartitionQueue>()
  const enlisted = new Set<PartitionQueue>()
  const inFlight = new Map<number, number>()
  const staleTopics = new Set<string>()
  let identity: ProducerIdentity | undefined
  let failure: MillraceError | undefined
  let cancelled: MillraceError | undefined
  let isCertain = true
  let lostTrack = false
  let pausedUntil = 0
  let pause = 0
  let isPumping = false
  let pumpAgain = false
  let waiting: (() => void)[] = []

  const isFlying = () => [...inFlight.values()].some((n) => n > 0)
  const isEmpty = () => [...queues.values()].every(({ length }) => length === 0)

  function fail(error: MillraceError): void {
    failure ??= error
    for (const queue of queues.values()) for (const entry of queue.clear()) entry.reject(failure)
    wake()
  }

  function wake(): void {
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => waiting.push(resolve))
  }

  /** Sends what can be sent. One at a time; whoever calls meanwhile makes it go round once more. */
  async function pump(): Promise<void> {
    pumpAgain = true
    if (isPumping) return
    isPumping = true
    try {
      while (pumpAgain && !failure) {
        pumpAgain = false
        await round()
      }
    } catch (error) {
      if (isRetriable(error)) rest(error as MillraceError)
      else
        fail(error instanceof MillraceError ? error : new MillraceError('INTERNAL', 'sending failed', { cause: error }))
    } finally {
      isPumping = false
    }
    wake()
  }

  async function round(): Promise<void> {
    const now = systemClock.now()
    if (!identity || cancelled || now < pausedUntil) return
    if (lostTrack) {
      if (!isFlying()) await renew()
      return
    }
    const ready = [...queues.values()].filter((queue) => queue.peek() !== undefined)
    if (ready.length === 0) return
    if (staleTopics.size > 0) {
      const topics = [...staleTopics]
      staleTopics.clear()
      await transport.refresh(topics)
    }
    const reachable = await leadersOf(ready)
    const unlisted = ready.filter((queue) => !enlisted.has(queue) && queue.length > 0)
    if (options.enlist && unlisted.length > 0) {
      await options.enlist(unlisted)
      for (const queue of unlisted) enlisted.add(queue)
      if (cancelled || failure) return
    }
    for (const [broker, mine] of reachable) transmitTo(broker, mine)
  }

  /** Leaves out partitions that do not exist, whose batches are rejected, and those without a leader at present. */
  async function leadersOf(ready: readonly PartitionQueue[]): Promise<Map<Broker, PartitionQueue[]>> {
    const found: PartitionQueue[] = []
    for (const queue of ready) {
      try {
        await transport.leader(queue.topic, queue.partition)
        found.push(queue)
      } catch (error) {
        if (isRetriable(error)) {
          staleTopics.add(queue.topic)
          rest(error as MillraceError)
        } else if (queue.flying === 0) for (const entry of queue.withdraw()) entry.reject(toError(error))
      }
    }
    return groupByLeader(transport, found)
  }

  function transmitTo(broker: Broker, mine: readonly PartitionQueue[]): void {
    for (let full = false; !full; ) {
      if ((inFlight.get(broker.nodeId) ?? 0) >= MAX_IN_FLIGHT) return
      const cargo: { queue: PartitionQueue; entry: Entry }[] = []
      let bytes = 0
      for (const queue of mine) {
        const next = queue.peek()
        if (!next || (cargo.length > 0 && bytes + next.batch.length > MAX_REQUEST_BYTES)) continue
        bytes += next.batch.length
        cargo.push({ queue, entry: queue.depart() })
      }
      full = cargo.length === 0
      if (!full) void transmit(broker, cargo)
    }
  }

  async function transmit(broker: Broker, cargo: readonly { queue: PartitionQueue; entry: Entry }[]): Promise<void> {
    inFlight.set(broker.nodeId, (inFlight.get(broker.nodeId) ?? 0) + 1)
    for (const { entry } of cargo) {
      const { producerId, epoch } = identity!
      stampBatch(entry.batch, { producerId, epoch, sequence: entry.sequence, transactional: transactionalId !== null })
    }
    try {
      const parts = cargo.map(({ queue: { topic, partition }, entry: { batch } }) => ({ topic, partition, batch }))
      const results = await transport.call(broker, produceRequest(parts, transactionalId, options.requestTimeoutMs))
      const byName = new Map(results.map((result) => [`${result.topic}/${result.partition}`, result]))
      for (const { queue, entry } of cargo) settle(queue, entry, byName.get(`${queue.topic}/${queue.partition}`))
    } catch (thrown) {
      const error = toError(thrown)
      for (const { queue, entry } of cargo) if (queue.has(entry)) tryAgain(queue, entry, error)
      if (!isRetriable(error)) fail(error as MillraceError)
    } finally {
      inFlight.set(broker.nodeId, inFlight.get(broker.nodeId)! - 1)
      void pump()
    }
  }

  function settle(queue: PartitionQueue, entry: Entry, result: Produced | undefined): void {
    if (!queue.has(entry)) return
    const { topic, partition } = queue
    const error = result?.error ?? errorCodes.UNKNOWN_SERVER_ERROR
    if (error === errorCodes.NONE || error === errorCodes.DUPLICATE_SEQUENCE_NUMBER) {
      pause = 0
      queue.landed(entry)
      entry.resolve({ offset: error === errorCodes.NONE ? result!.baseOffset : -1 })
      return
    }
    const problem = kafkaError(error, `writing a batch of ${entry.batch.length} bytes`, {
      topic,
      partition,
      detail: result?.message,
    })
    if (isFencing(error)) fail(problem)
    else if (error === errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER || error === errorCodes.UNKNOWN_PRODUCER_ID) {
      // With nothing before it that failed, the broker has forgotten this producer (retention, an unclean election).
      if (!queue.isBehindFailure(entry)) lostTrack = true
      tryAgain(queue, entry, problem)
    } else if (isRetriableCode(error) || error === errorCodes.UNKNOWN_TOPIC_OR_PARTITION) {
      staleTopics.add(topic)
      tryAgain(queue, entry, problem)
    } else {
      queue.refused(entry)
      entry.reject(problem)
    }
  }

  /** The batch stays in the queue, unless it is too late or the sending was cancelled. */
  function tryAgain(queue: PartitionQueue, entry: Entry, error: Error): void {
    queue.missed(entry)
    staleTopics.add(queue.topic)
    if (cancelled) {
      isCertain = false
      for (const late of queue.withdraw()) late.reject(cancelled)
    } else rest(error)
  }

  /** Waits a little before anything is sent again; gives up when a batch has waited too long. */
  function rest(error: Error): void {
    const now = systemClock.now()
    const oldest = Math.min(...[...queues.values()].flatMap((queue) => queue.head?.deadline ?? []))
    if (now > oldest) {
      const { message } = error
      const text = `batches could not be written within ${options.deliveryTimeoutMs} ms: ${message}`
      fail(new MillraceError('UNAVAILABLE', text, { cause: error, retriable: true }))
    }
    if (failure || pausedUntil > now) return
    pause = Math.min(Math.max(pause * 2, 10), MAX_PAUSE_MS)
    pausedUntil = now + pause
    void systemClock.sleep(pause + 1).then(pump)
  }

  async function renew(): Promise<void> {
    if (!options.renew) {
      const message = 'the broker has lost track of this producer, which cannot go on within its transaction'
      return fail(
        new MillraceError('FENCED', message, { hint: 'discard the producer and start the transaction again' }),
      )
    }
    identity = await options.renew()
    lostTrack = false
    for (const queue of queues.values()) queue.restart()
    pumpAgain = true
  }

  return {
    send(topic, partition, batch) {
      if (failure) return Promise.reject(failure)
      return new Promise((resolve, reject) => {
        const name = `${topic}/${partition}`
        let queue = queues.get(name)
        if (!queue) queues.set(name, (queue = partitionQueue({ topic, partition })))
        const records = batchHeader(batch, 0).count
        const deadline = systemClock.now() + options.deliveryTimeoutMs
        queue.add({ batch, records, deadline, sequence: -1, isFlying: false, resolve, reject })
        // Batches that are sent in one go share their requests.
        queueMicrotask(pump)
      })
    },
    identify(next) {
      identity = next
      failure = cancelled = undefined
      isCertain = true
      lostTrack = false
      pausedUntil = pause = 0
      for (const queue of queues.values()) queue.restart()
    },
    get failure() {
      return failure
    },
    fail,
    drained: () => until(() => failure !== undefined || isEmpty()),
    async cancel(reason) {
      cancelled = reason
      for (const queue of queues.values()) {
        for (const entry of queue.withdraw()) {
          if (entry.sequence !== -1) isCertain = false
          entry.reject(reason)
        }
      }
      await until(() => !isFlying() && !isPumping)
      cancelled = undefined
      return isCertain && !lostTrack
    },
    forgetPartitions: () => enlisted.clear(),
  }
}
