import { MillraceError, toError } from '../../../errors.ts'
import { type Clock, systemClock } from '../../../time.ts'
import type { GroupOptions, LogGroup } from '../../log.ts'
import { type GroupTransport, groupCoordinator } from './group-coordinator.ts'
import { type MemberOptions, member } from './member.ts'
import { groupOffsets } from './offsets.ts'
import { streamsMember } from './streams/member.ts'

export interface KafkaGroup extends LogGroup {
  /**
   * Leaves the group. A static member (one with an instance id) stays in it for the session timeout, so that its restart
   * moves no task, unless it leaves `permanently`.
   */
  leave(options?: { readonly permanently?: boolean }): Promise<void>
}

export interface Surroundings {
  /** How the group gets to its assignment; see `KafkaOptions`. Default 'classic'. */
  readonly protocol?: 'classic' | 'streams'
  readonly rack?: string
  readonly clientTags?: Readonly<Record<string, string>>
  /** What only tests replace. */
  readonly clock?: Clock
  readonly random?: () => number
}

/** A coordinator that cannot be told in this time will find out by itself when the session ends. */
const LEAVE_PATIENCE_MS = 3_000

/**
 * Membership in a group and the group's committed offsets: by Kafka's classic protocol (every broker since 2.5) with a task
 * assignor of our own, or by the streams protocol (KIP-1071), where the broker spreads the tasks. Both are cooperative: tasks
 * that stay where they are run on through a rebalance.
 *
 * - `join` resolves when the group has taken this member in for the first time; `onAssigned` follows. It rejects when the
 *   group refuses it for good; of a member that was in already `onError` says so, after `onLost`.
 * - An `onAssigned` that throws a retriable error or `FENCED` is called again, after `onLost` and a pause; any other error
 *   ends the membership. When `onRevoked` throws, all tasks count as lost.
 * - Heartbeats go on while a callback runs. The group waits for `onRebalancing` until the rebalance timeout. For `onRevoked`
 *   so does the broker that spreads the tasks; a classic group waits until somebody comes or goes, and from then on as long.
 * - No callback is called after `leave`, and everything else then throws `CLOSED`.
 */
export function kafkaGroup(
  connect: () => GroupTransport,
  options: GroupOptions,
  { protocol = 'classic', rack, clientTags, clock = systemClock, random = Math.random }: Surroundings = {},
): KafkaGroup {
  const { group, instanceId } = options
  const transport = connect()
  const coordinator = groupCoordinator(transport, group)
  const leaving = new AbortController()
  const offsets = groupOffsets(coordinator, group, { protocol, clock, random, closed: leaving.signal })
  const entry = Promise.withResolvers<void>()
  let isIn = false
  let joining: Promise<void> | undefined
  let parting: Promise<void> | undefined

  const memberOptions: MemberOptions = {
    coordinator,
    options,
    timeouts: {
      sessionTimeoutMs: options.sessionTimeoutMs ?? 45_000,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? 3_000,
    },
    clock,
    random,
    leaving: leaving.signal,
    onJoined() {
      isIn = true
      entry.resolve()
    },
  }
  const self = protocol === 'streams' ? streamsMember({ ...memberOptions, rack, clientTags }) : member(memberOptions)

  async function live(): Promise<void> {
    try {
      await self.live()
    } catch (error) {
      // The others get the tasks at once, not only when the session ends.
      if (instanceId === undefined) await tellLeaving(true)
      if (isIn) options.onError(toError(error))
      else entry.reject(error)
    }
  }

  async function tellLeaving(isForGood: boolean): Promise<void> {
    const done = new AbortController()
    await Promise.race([self.part(isForGood).catch(() => undefined), clock.sleep(LEAVE_PATIENCE_MS, done.signal)])
    done.abort()
  }

  return {
    join() {
      if (leaving.signal.aborted) return Promise.reject(closed(group))
      if (!joining) {
        joining = entry.promise
        void live()
      }
      return joining
    },
    leave({ permanently = instanceId === undefined } = {}) {
      parting ??= (async () => {
        leaving.abort()
        if (joining) entry.reject(closed(group))
        await tellLeaving(permanently)
        await transport.close()
      })()
      return parting
    },
    reconsider: self.reconsider,
    committed: offsets.committed,
    commit: offsets.commit,
  }
}

function closed(group: string): MillraceError {
  return new MillraceError('CLOSED', `this member has left group "${group}"`)
}
