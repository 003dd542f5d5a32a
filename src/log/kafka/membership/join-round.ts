import { readsOf } from '../../assignor/versions.ts'
import type { GroupOptions, Stamp } from '../../log.ts'
import { errorCodes, isRetriableCode } from '../wire/error-codes.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import { decide } from './leader.ts'
import { membershipError } from './membership-error.ts'
import { JOIN_GROUP, joinGroupRequest, joinGroupVersions, syncGroupRequest } from './protocol.ts'
import { decodeAssignment, encodeSubscription, type TaskAssignment } from './subscription.ts'

/** What a member knows of itself when it joins. */
export interface Identity {
  /** Given by the broker; empty for a member that has none yet. */
  readonly memberId: string
  /** The tasks that it runs, and the last generation it was in. */
  readonly owned: readonly string[]
  readonly generation: number
}

export interface Joined {
  readonly kind: 'joined'
  readonly memberId: string
  readonly stamp: Stamp
  readonly assignment: TaskAssignment
}

export type Round =
  | Joined
  /**
   * Try once more with this member id; after a pause where the broker has to get on first. `isLost`: the group may have
   * given the member's tasks to others.
   */
  | { readonly kind: 'again'; readonly memberId: string; readonly pause: boolean; readonly isLost: boolean }

export type Timeouts = Required<Pick<GroupOptions, 'sessionTimeoutMs' | 'rebalanceTimeoutMs' | 'heartbeatIntervalMs'>>

/**
 * JoinGroup, which waits for the other members, and SyncGroup, which waits for the leader, who is one of the members.
 * Throws what the broker refuses for good, and a retriable error when it cannot be reached.
 */
export async function joinRound(
  coordinator: GroupCoordinator,
  options: GroupOptions,
  { sessionTimeoutMs, rebalanceTimeoutMs }: Timeouts,
  { memberId, owned, generation }: Identity,
): Promise<Round> {
  const { group, instanceId, topics, tasks, processId = '', stateful = [] } = options
  const lane = 'membership'
  const version = Math.min((await coordinator.versions(JOIN_GROUP))?.max ?? 0, joinGroupVersions.newest)
  const join = await coordinator.call(
    joinGroupRequest(version >= joinGroupVersions.newest ? version : joinGroupVersions.oldest, {
      group,
      memberId,
      instanceId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      metadata: encodeSubscription({
        topics,
        processId,
        tasks,
        reads: readsOf(options),
        owned,
        generation,
        stateful,
        progress: options.progress?.() ?? [],
      }),
      reason: generation < 0 ? 'start' : 'rebalance',
    }),
    { lane },
  )
  if (join.error === errorCodes.MEMBER_ID_REQUIRED) return again(join.memberId, { pause: false })
  if (join.error !== errorCodes.NONE) return refused(join.error, memberId)

  const stamp = {
    group,
    memberId: join.memberId,
    ...(instanceId !== undefined && { instanceId }),
    epoch: join.generation,
  }
  const isAssigning = join.leader === join.memberId && !join.skipAssignment
  const decision = isAssigning ? decide(join.members, options) : []
  const sync = await coordinator.call(syncGroupRequest(stamp, decision, rebalanceTimeoutMs), { lane })
  if (sync.error !== errorCodes.NONE) return refused(sync.error, join.memberId)
  return { kind: 'joined', memberId: join.memberId, stamp, assignment: decodeAssignment(sync.assignment) }

  function refused(error: number, known: string): Round {
    coordinator.heed(error)
    switch (error) {
      case errorCodes.UNKNOWN_MEMBER_ID:
        return again('', { pause: true, isLost: true })
      // Somebody else came in between: the next JoinGroup waits for all.
      case errorCodes.REBALANCE_IN_PROGRESS:
        return again(known, { pause: false })
      // A round went by that this member took no part in.
      case errorCodes.ILLEGAL_GENERATION:
        return again(known, { pause: false, isLost: true })
    }
    if (isRetriableCode(error)) return again(known, { pause: true })
    throw membershipError(error, group, instanceId)
  }
}

function again(memberId: string, { pause, isLost = false }: { pause: boolean; isLost?: boolean }): Round {
  return { kind: 'again', memberId, pause, isLost }
}
