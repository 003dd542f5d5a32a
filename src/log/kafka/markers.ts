import { isRetriable } from '../../errors.ts'
import { type Clock, systemClock } from '../../time.ts'
import type { TopicPartition } from '../log.ts'
import { type Coordinator, firstError } from './coordinator.ts'
import type { PartitionResult } from './wire/by-topic.ts'
import { errorCodes, isFencing } from './wire/error-codes.ts'
import {
  addOffsetsRequest,
  addPartitionsRequest,
  endTransactionRequest,
  type ProducerIdentity,
} from './wire/transactions.ts'

export type Outcome = 'commit' | 'abort'

/** Where a transaction leaves its markers. */
export interface Places {
  readonly partitions: readonly TopicPartition[]
  readonly groups: Iterable<string>
}

/** A transaction whose end was not seen. */
export interface LeftOpen extends Places {
  readonly identity: ProducerIdentity
  /** The coordinator may have been told to commit it. */
  readonly isCommitSent: boolean
}

/** How the last transaction of one transactional id ended at each place; shared by the producers of a process. */
export interface Ends {
  readonly partitions: Map<string, { readonly at: TopicPartition; readonly outcome: Outcome }>
  readonly groups: Map<string, Outcome>
  leftOpen: LeftOpen | undefined
  /** How often there was reason to doubt the markers, and how often there had been when they were last written again. */
  suspected: number
  settled: number
  /** Until when a connection that breaks is a reason. */
  freshUntil: number
}

/** A broker may have been about to stop for so long when the last transaction ended. */
const FRESH_MS = 300_000
/** And when the markers were written again; less than the idle time after which brokers and gateways close connections. */
const FRESH_AGAIN_MS = 30_000

export const noEnds = (): Ends => ({
  partitions: new Map(),
  groups: new Map(),
  leftOpen: undefined,
  suspected: 0,
  settled: 0,
  freshUntil: 0,
})

/**
 * Sees to it that transactions which have ended have their markers in all partitions.
 *
 * A transaction coordinator takes partitions that have no leader for deleted, and leaves out their markers (Kafka 4.4.0:
 * TransactionMarkerChannelManager.addTxnMarkersToBrokerQueue, and KRaftMetadataCache.getPartitionLeaderEndpoint, which knows
 * no difference). The transaction counts as committed, or aborted, all the same. So it is with the only replica of a
 * partition: while its broker is being stopped in good order, and when it starts and aborts what has expired. Committed
 * readers and the group's offsets then stand still in those partitions, for good, and the next marker of the same producer
 * decides over the old records, too, whatever became of them.
 *
 * Nothing tells. But it happens only where a connection breaks, and another transaction with the same end and without records
 * writes the markers that are missing; where none is, it does no harm.
 */
export interface Markers {
  /** Markers may be missing. */
  readonly isDue: boolean
  /** A transaction has ended. */
  ended(outcome: Outcome, places: Places): void
  /** It is not sure that it left its markers. */
  suspect(): void
  /** A connection broke. One that was closed since nobody used it is no reason to write. */
  broken(): void
  /** The end of a transaction was not seen: the next producer of the id finds out about it. */
  leave(open: LeftOpen): void
  /** Finds out how the transaction ended that was left open, or ends it; before its identity is replaced. */
  decide(): Promise<void>
  /** Writes the markers that may be missing. Only outside of transactions. */
  settle(identity: ProducerIdentity): Promise<void>
}

export function markers(id: string, coordinator: Coordinator, ends: Ends, clock: Clock = systemClock): Markers {
  function ended(outcome: Outcome, { partitions, groups }: Places): void {
    ends.freshUntil = clock.now() + FRESH_MS
    for (const at of partitions) ends.partitions.set(`${at.topic}/${at.partition}`, { at, outcome })
    for (const group of groups) ends.groups.set(group, outcome)
  }

  async function write(outcome: Outcome, identity: ProducerIdentity): Promise<void> {
    const partitions = [...ends.partitions.values()].flatMap((of) => (of.outcome === outcome ? [of.at] : []))
    const groups = [...ends.groups].flatMap(([group, of]) => (of === outcome ? [group] : []))
    const enlisted = await enlist(partitions, identity)
    for (const group of groups) {
      const request = addOffsetsRequest(id, identity, group)
      await coordinator.call(request, ({ error }) => error, `adding offsets of "${group}" to "${id}" again`)
    }
    if (enlisted === 0 && groups.length === 0) return
    const request = endTransactionRequest(id, identity, outcome === 'commit')
    await coordinator.call(request, ({ error }) => error, `writing the markers of "${id}" again`)
  }

  /** Resolves to how many partitions there are. Those that are gone have nothing to be marked. */
  async function enlist(partitions: readonly TopicPartition[], identity: ProducerIdentity): Promise<number> {
    for (let open = partitions; open.length > 0; ) {
      let gone: readonly PartitionResult[] = []
      try {
        const request = addPartitionsRequest(id, identity, open)
        const errorOf = (results: readonly PartitionResult[]) => {
          gone = results.filter(
            ({ error }) => error !== errorCodes.NONE && error !== errorCodes.OPERATION_NOT_ATTEMPTED,
          )
          return firstError(results)
        }
        await coordinator.call(request, errorOf, `adding partitions to "${id}" again`)
        return open.length
      } catch (error) {
        if (isRetriable(error) || gone.length === 0 || gone.some((of) => isFencing(of.error))) throw error
        for (const { topic, partition } of gone) ends.partitions.delete(`${topic}/${partition}`)
        open = open.filter(({ topic, partition }) => ends.partitions.has(`${topic}/${partition}`))
      }
    }
    return 0
  }

  return {
    get isDue() {
      return ends.suspected !== ends.settled && ends.partitions.size + ends.groups.size > 0
    },
    ended,
    suspect() {
      ends.suspected++
    },
    broken() {
      if (clock.now() < ends.freshUntil) ends.suspected++
    },
    leave(open) {
      ends.leftOpen = open
      ends.suspected++
    },
    async decide() {
      const open = ends.leftOpen
      if (open === undefined) return
      let code: number = errorCodes.NONE
      try {
        const request = endTransactionRequest(id, open.identity, false)
        await coordinator.call(request, ({ error }) => (code = error), `aborting what was left open of "${id}"`)
      } catch (error) {
        if (!isFencing(code)) throw error
      }
      ends.leftOpen = undefined
      const outcome = outcomeOf(code, open.isCommitSent)
      if (outcome) ended(outcome, open)
    },
    async settle(identity) {
      const { suspected } = ends
      await write('abort', identity)
      await write('commit', identity)
      ends.settled = suspected
      ends.freshUntil = clock.now() + FRESH_AGAIN_MS
    },
  }
}

/**
 * What became of a transaction, by the answer to its abort; undefined when the coordinator has never heard of it.
 *
 * The coordinator aborts by itself what has expired, and bumps the epoch with it. A transaction that was not aborted, and is
 * not there any more either, was committed: by this producer, or it is the one before.
 */
export function outcomeOf(code: number, isCommitSent: boolean): Outcome | undefined {
  if (code !== errorCodes.INVALID_TXN_STATE) return 'abort'
  return isCommitSent ? 'commit' : undefined
}
