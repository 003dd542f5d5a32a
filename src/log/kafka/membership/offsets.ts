import { isRetriable, MillraceError } from '../../../errors.ts'
import type { Clock } from '../../../time.ts'
import type { CommittedOffset, Stamp, TopicPartition } from '../../log.ts'
import { backoff } from '../backoff.ts'
import { errorCodes, kafkaError } from '../wire/error-codes.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import { commitVersions, type FetchedOffset, offsetCommitRequest, offsetFetchRequest } from './protocol.ts'

/** How long a coordinator that is away, moving or loading is waited for before the caller is told. */
const PATIENCE_MS = 5_000
/** A transaction is decided by its commit, abort or timeout, or by the next producer of its id: mostly in milliseconds. */
const UNDECIDED_PATIENCE_MS = 60_000

export interface GroupOffsets {
  committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]>
  commit(offsets: readonly CommittedOffset[], stamp: Stamp): Promise<void>
}

/** The committed offsets of one group. Waiting ends when `closed` aborts. */
export function groupOffsets(
  coordinator: GroupCoordinator,
  group: string,
  {
    protocol,
    clock,
    random,
    closed,
  }: { protocol: 'classic' | 'streams'; clock: Clock; random: () => number; closed: AbortSignal },
): GroupOffsets {
  const commitVersion = protocol === 'streams' ? commitVersions.memberEpochs : commitVersions.generations

  /** Repeats what fails for the time being: `patience` says how long, given the error. */
  async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const pause = backoff({ firstMs: 20, maxMs: 500, random })
    const start = clock.now()
    for (;;) {
      if (closed.aborted) throw new MillraceError('CLOSED', `this member has left group "${group}"`)
      try {
        return await attempt()
      } catch (error) {
        const patience = error instanceof Undecided ? UNDECIDED_PATIENCE_MS : PATIENCE_MS
        if (!isRetriable(error) || clock.now() - start > patience) throw error
      }
      await clock.sleep(pause.next(), closed)
    }
  }

  async function fetchOnce(partitions: readonly TopicPartition[]): Promise<readonly FetchedOffset[]> {
    const answer = await coordinator.call(offsetFetchRequest(group, partitions), { lane: 'offsets' })
    const what = `reading the committed offsets of group "${group}"`
    if (answer.error !== errorCodes.NONE) {
      coordinator.heed(answer.error)
      throw kafkaError(answer.error, what)
    }
    for (const { error, topic, partition } of answer.offsets) {
      if (error === errorCodes.UNSTABLE_OFFSET_COMMIT) throw new Undecided(what, topic, partition)
      if (error !== errorCodes.NONE) throw kafkaError(error, what, { topic, partition })
    }
    return answer.offsets
  }

  async function commitOnce(offsets: readonly CommittedOffset[], stamp: Stamp): Promise<void> {
    const answer = await coordinator.call(offsetCommitRequest(commitVersion, stamp, offsets), { lane: 'offsets' })
    for (const { error, topic, partition } of answer) {
      if (error === errorCodes.NONE) continue
      coordinator.heed(error)
      const what = `committing offsets of group "${group}"`
      // Only between JoinGroup and SyncGroup of the stamp's own generation: the leader has not spread the tasks yet.
      if (error === errorCodes.REBALANCE_IN_PROGRESS)
        throw new MillraceError('UNAVAILABLE', `${what} failed: the group is rebalancing`, { retriable: true })
      throw kafkaError(error, what, { topic, partition })
    }
  }

  return {
    async committed(partitions) {
      if (partitions.length === 0) return []
      const fetched = await patiently(() => fetchOnce(partitions))
      // -1: none. kafkajs has been seen to commit -2 and -1 itself, which are as good as none.
      return fetched.filter(({ offset }) => offset >= 0).map(({ error: _, ...offset }) => offset)
    },
    async commit(offsets, stamp) {
      if (offsets.length > 0) await patiently(() => commitOnce(offsets, stamp))
    },
  }
}

class Undecided extends MillraceError {
  constructor(what: string, topic: string, partition: number) {
    super('UNAVAILABLE', `${what} failed: a transaction with an offset of the partition is not decided yet`, {
      topic,
      partition,
      retriable: true,
      hint: 'it ends with its producer, or when its transaction timeout has passed; if not: kafka-transactions.sh find-hanging',
    })
  }
}
