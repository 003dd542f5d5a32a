import { MillraceError, toError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import { batchHeader } from '../batch/batch-header.ts'
import { RECORDS } from '../batch/layout.ts'
import type { LogProducer, ProducerOptions, TopicPartition } from '../log.ts'
import { type Coordinator, coordinator, firstError } from './coordinator.ts'
import { healing } from './healing.ts'
import { type Ends, markers, noEnds, type Outcome, outcomeOf } from './markers.ts'
import { sender } from './sender.ts'
import type { Transport } from './transport.ts'
import { errorCodes, isFencing, isProducerFencing } from './wire/error-codes.ts'
import type { Request } from './wire/request.ts'
import {
  addOffsetsRequest,
  addPartitionsRequest,
  commitOffsetsRequest,
  endTransactionRequest,
  initProducerIdRequest,
  type ProducerIdentity,
} from './wire/transactions.ts'

const CLOSE_PATIENCE_MS = 2_000

/** By transactional id; shared by the producers of a process. */
export type EndsById = Map<string, Ends>

export interface ProducerTimeouts {
  readonly requestTimeoutMs: number
  /** How long a batch, or a step of a transaction, may take before it fails with `UNAVAILABLE`. */
  readonly deliveryTimeoutMs: number
}

/**
 * Writes over the connections of the transport, which it owns. Always idempotent: a batch whose acknowledgement was
 * lost is sent again under the same number, and the broker keeps one.
 *
 * After `UNAVAILABLE` it is not known whether the last batches arrived. Within a transaction `abort` settles that;
 * outside of one `init` makes the producer usable again, and whoever then writes the same records may write them twice.
 */
export function kafkaProducer(
  transport: Transport,
  { transactionalId, transactionTimeoutMs = 30_000 }: ProducerOptions,
  { requestTimeoutMs, deliveryTimeoutMs }: ProducerTimeouts,
  endsById: EndsById = new Map(),
): LogProducer {
  let identity: ProducerIdentity | undefined
  let isOpen = false
  /** The coordinator knows of the transaction, or may know of it. */
  let isKnown = false
  let isCommitSent = false
  let isClosed = false
  let firstFailure: Error | undefined
  let groups = new Set<string>()
  /** Partitions of the open transaction. */
  const enlisted = new Map<string, TopicPartition>()
  const groupCoordinators = new Map<string, Coordinator>()
  // Without a transactional id any broker gives out producer ids.
  const locate = () =>
    transactionalId === undefined ? transport.controller() : transport.coordinator(transactionalId, 'transaction')
  const ownCoordinator = coordinator(transport, locate, deliveryTimeoutMs)
  const marked =
    transactionalId === undefined ? undefined : markers(transactionalId, ownCoordinator, endsOf(transactionalId))
  const batches = sender({
    transport,
    transactionalId: transactionalId ?? null,
    requestTimeoutMs,
    deliveryTimeoutMs,
    ...(transactionalId === undefined
      ? { renew: takeIdentity }
      : {
          async enlist(partitions) {
            await announce()
            for (const of of partitions) enlisted.set(`${of.topic}/${of.partition}`, of)
            const request = addPartitionsRequest(transactionalId, identity!, partitions)
            await ownCoordinator.call(request, firstError, 'adding partitions to the transaction')
          },
        }),
  })
  const { settled, settledOrFailed, paused, heal } = healing({
    markers: marked,
    batches,
    identity: () => identity,
    isOpen: () => isOpen,
    isClosed: () => isClosed,
  })
  transport.onBreak(() => {
    marked?.broken()
    void heal()
  })

  async function takeIdentity(): Promise<ProducerIdentity> {
    const request = initProducerIdRequest(transactionalId ?? null, transactionTimeoutMs)
    const what = `starting a producer${transactionalId === undefined ? '' : ` of "${transactionalId}"`}`
    const answer = await ownCoordinator.call(request, ({ error }) => error, what)
    identity = { producerId: answer.producerId, epoch: answer.epoch }
    return identity
  }

  async function init(): Promise<void> {
    await batches.cancel(new MillraceError('CLOSED', 'the producer was started anew before the batch was written'))
    await paused()
    leaveOpen()
    await marked?.decide()
    batches.identify(await takeIdentity())
    forgetTransaction()
    await settledOrFailed()
  }

  const places = () => ({ partitions: [...enlisted.values()], groups })

  function endsOf(id: string): Ends {
    const known = endsById.get(id) ?? noEnds()
    endsById.set(id, known)
    return known
  }

  /** Whoever comes next finds out how the transaction has ended. */
  function leaveOpen(): void {
    if (isOpen && isKnown) marked?.leave({ ...places(), identity: identity!, isCommitSent })
    forgetTransaction()
  }

  function forgetTransaction(): void {
    enlisted.clear()
    isOpen = isKnown = isCommitSent = false
    firstFailure = undefined
    groups = new Set()
    batches.forgetPartitions()
  }

  /** Before the coordinator hears of a transaction: what ended before it must have its markers. */
  async function announce(): Promise<void> {
    if (!isKnown) await settled()
    isKnown = true
  }

  /** Asks a coordinator for a step of the transaction; an answer that fences this producer ends it for good. */
  async function step<Answer>(
    place: Coordinator,
    request: Request<Answer>,
    errorOf: (answer: Answer) => number,
    what: string,
  ): Promise<void> {
    if (batches.failure) throw batches.failure
    let code: number = errorCodes.NONE
    try {
      await place.call(request, (answer) => (code = errorOf(answer)), what)
    } catch (error) {
      if (isProducerFencing(code)) batches.fail(error as MillraceError)
      throw error
    }
  }

  function requireTransaction(what: string): string {
    if (transactionalId === undefined)
      throw new MillraceError('INVALID_OPTION', `${what} needs a producer with a transactionalId`)
    if (!isOpen) throw new MillraceError('INTERNAL', `${what} outside of a transaction: call begin() first`)
    return transactionalId
  }

  function groupCoordinator(group: string): Coordinator {
    let found = groupCoordinators.get(group)
    if (!found) {
      found = coordinator(transport, () => transport.coordinator(group, 'group'), deliveryTimeoutMs)
      groupCoordinators.set(group, found)
    }
    return found
  }

  const end = (id: string, isCommit: boolean) => {
    const request = endTransactionRequest(id, identity!, isCommit)
    return [
      request,
      ({ error }: { error: number }) => error,
      `${isCommit ? 'committing' : 'aborting'} "${id}"`,
    ] as const
  }

  async function abort(): Promise<void> {
    if (transactionalId === undefined || !isOpen) return
    const reason = new MillraceError('CLOSED', 'the transaction was aborted before the batch was written')
    const isCertain = (await batches.cancel(reason)) && !batches.failure
    if (batches.failure?.code === 'FENCED') return leaveOpen()
    let isFenced = false
    if (isKnown) {
      let code: number = errorCodes.NONE
      try {
        const [request, errorOf, what] = end(transactionalId, false)
        await ownCoordinator.call(request, (answer) => (code = errorOf(answer)), what)
      } catch (error) {
        // Gone already: never begun at the coordinator, or expired, or committed, or ended by whoever took over.
        if (!isFencing(code)) throw error
        isFenced = isProducerFencing(code)
        if (isFenced) batches.fail(error as MillraceError)
        marked?.suspect()
      }
      hasEnded(outcomeOf(code, isCommitSent))
    }
    forgetTransaction()
    if (isFenced) return
    if (isCertain) return void heal()
    // What is still on its way is fenced then, and what has arrived meanwhile is marked.
    marked?.suspect()
    await init()
  }

  function hasEnded(outcome: Outcome | undefined): void {
    if (outcome) marked?.ended(outcome, places())
  }

  return {
    init,

    begin() {
      if (transactionalId === undefined)
        throw new MillraceError('INVALID_OPTION', 'begin() needs a producer with a transactionalId')
      if (identity === undefined) throw new MillraceError('INTERNAL', 'begin() before init()')
      if (batches.failure) throw batches.failure
      if (isOpen) throw new MillraceError('INTERNAL', 'begin() within a transaction: commit or abort it first')
      isOpen = true
    },

    async send(topic, partition, batch) {
      const where = { topic, partition }
      if (identity === undefined) throw new MillraceError('INTERNAL', 'send() before init()', where)
      if (transactionalId !== undefined) requireTransaction('send()')
      if (batch.length < RECORDS || batchHeader(batch, 0).count < 1)
        throw new MillraceError('INTERNAL', 'a batch without records cannot be written', where)
      try {
        return await batches.send(topic, partition, batch)
      } catch (error) {
        firstFailure ??= toError(error)
        throw error
      }
    },

    async sendOffsets(offsets, stamp) {
      const id = requireTransaction('sendOffsets()')
      if (offsets.length === 0) return
      if (!groups.has(stamp.group)) {
        await announce()
        const request = addOffsetsRequest(id, identity!, stamp.group)
        await step(
          ownCoordinator,
          request,
          ({ error }) => error,
          `adding offsets of "${stamp.group}" to the transaction`,
        )
        groups.add(stamp.group)
      }
      // A stamp that is not valid any more fences the member, not the producer: it may try again with a newer one.
      const request = commitOffsetsRequest(id, identity!, stamp, offsets)
      await step(groupCoordinator(stamp.group), request, firstError, `committing offsets of "${stamp.group}"`)
    },

    async commit() {
      const id = requireTransaction('commit()')
      await batches.drained()
      if (batches.failure) throw batches.failure
      if (firstFailure) throw firstFailure
      if (isKnown) {
        isCommitSent = true
        await step(ownCoordinator, ...end(id, true))
        hasEnded('commit')
      }
      forgetTransaction()
      void heal()
    },

    abort,

    async close() {
      if (isOpen && isKnown && !batches.failure) {
        // Others need not wait until it expires. Who cannot be told now is not waited for.
        const told = new AbortController()
        await Promise.race([abort().catch(() => {}), systemClock.sleep(CLOSE_PATIENCE_MS, told.signal)])
        told.abort()
      }
      isClosed = true
      leaveOpen()
      batches.fail(new MillraceError('CLOSED', 'the producer was closed'))
      await transport.close()
    },
  }
}
