import { isRetriable, toError } from '../../../errors.ts'
import type { Clock } from '../../../time.ts'
import type { GroupOptions, Stamp } from '../../log.ts'
import { backoff } from '../backoff.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import { type Heartbeats, heartbeats } from './heartbeat.ts'
import { type Joined, joinRound, type Timeouts } from './join-round.ts'
import { isFenced } from './membership-error.ts'
import { leaveGroupRequest } from './protocol.ts'

const MOVING_HEARTBEAT_MS = 100

export interface MemberOptions {
  readonly coordinator: GroupCoordinator
  readonly options: GroupOptions
  readonly timeouts: Timeouts
  readonly clock: Clock
  readonly random: () => number
  /** Aborted by `leave`: no callback is called after it. */
  readonly leaving: AbortSignal
  /** The group has taken this member in; called for every generation, before its callbacks. */
  onJoined(): void
}

/** A member of a group, whatever its protocol. */
export interface Member {
  /** Lives through one generation after the other. Resolves after `leave`; rejects when membership cannot go on. */
  live(): Promise<void>
  /** Has the group look again at who runs what, although nobody comes or goes. */
  reconsider(): void
  /** Tells the group that this member goes: for good, or, with an instance id, to come back soon. */
  part(isForGood: boolean): Promise<void>
}

/**
 * The life of a member in the cooperative protocol (KIP-429, with tasks in place of partitions). When others come or go it
 * joins again while its tasks run on, gives up what the new generation takes from it, and then joins once more at once:
 * only now can somebody else be given those tasks. The callbacks are awaited here and nowhere else, and so come one at a
 * time; heartbeats go on beside them.
 */
export function member({ coordinator, options, timeouts, clock, random, leaving, onJoined }: MemberOptions): Member {
  const pause = backoff({ firstMs: 20, maxMs: 2_000, random })
  const left = new Promise<void>((resolve) => leaving.addEventListener('abort', () => resolve()))
  let memberId = ''
  /** The last generation this member was in. */
  let generation = -1
  /** What runs now. */
  let held: readonly string[] = []
  let reconsidering = Promise.withResolvers<void>()

  async function oneGeneration(): Promise<void> {
    const joined = await enter()
    if (!joined) return
    const { stamp, assignment } = joined
    const lost = held.filter((task) => !assignment.active.includes(task))
    const heart = heartbeats(coordinator, stamp, { ...timeouts, heartbeatIntervalMs: pace(assignment), clock, random })
    onJoined()
    try {
      await revoke(lost, stamp)
      await start(joined, heart)
      if (lost.length === 0) await Promise.race([heart.news, left, reconsidering.promise])
      if (isOver(heart)) await lose()
      else if (!leaving.aborted) await options.onRebalancing?.()
      // It may have taken long.
      if (isOver(heart)) await lose()
    } finally {
      heart.stop()
    }
    const news = heart.latest()
    if (news?.kind === 'failed') throw news.error
    if (news?.kind === 'lost' && news.expired) memberId = ''
  }

  /** While tasks are on their way the next round follows at once, and they stand still until all have noticed it. */
  function pace({ isMoving }: Joined['assignment']): number {
    return isMoving ? Math.min(MOVING_HEARTBEAT_MS, timeouts.heartbeatIntervalMs) : timeouts.heartbeatIntervalMs
  }

  /** Joins until it is in, with the tasks running on; `undefined` after `leave`. */
  async function enter(): Promise<Joined | undefined> {
    let hasInsisted = false
    while (!leaving.aborted) {
      let isPatient = true
      reconsidering = Promise.withResolvers()
      try {
        const round = await joinRound(coordinator, options, timeouts, { memberId, owned: held, generation })
        memberId = round.memberId
        if (round.kind === 'joined') {
          generation = round.stamp.epoch
          if (hasInsisted || !isOutdated(round)) return round
          hasInsisted = true
        } else if (round.isLost) await lose()
        isPatient = round.kind === 'again' && round.pause
      } catch (error) {
        if (!isRetriable(error)) throw error
      }
      if (isPatient) await clock.sleep(pause.next(), leaving)
    }
    return undefined
  }

  /**
   * A static member that comes back gets its old tasks without anybody deciding anew, even if its topology has changed.
   * Joining again, now with another generation in its subscription, makes the broker start a rebalance.
   */
  function isOutdated({ assignment: { active, known } }: Joined): boolean {
    if (options.instanceId === undefined || !known) return false
    const mine = new Set(options.tasks)
    const theirs = new Set(known)
    return active.some((task) => !mine.has(task)) || options.tasks.some((task) => !theirs.has(task))
  }

  async function revoke(tasks: readonly string[], stamp: Stamp): Promise<void> {
    if (tasks.length === 0 || leaving.aborted) return
    try {
      await options.onRevoked(tasks, stamp)
      held = held.filter((task) => !tasks.includes(task))
    } catch {
      await lose()
    }
  }

  /** Until the tasks have started, or there is news, or they cannot start at all: that is thrown. */
  async function start({ stamp, assignment }: Joined, heart: Heartbeats): Promise<void> {
    const { active, standby, warmup, missingStandbys, isMoving } = assignment
    while (!leaving.aborted && !isOver(heart)) {
      held = active
      try {
        await options.onAssigned({ active, standby, warmup, missingStandbys, stamp, isMoving })
        pause.reset()
        return
      } catch (error) {
        await lose()
        if (!isRetriable(error) && !isFenced(error)) throw error
      }
      if (heart.latest()) return
      await Promise.race([clock.sleep(pause.next(), leaving), heart.news])
    }
  }

  async function lose(): Promise<void> {
    const tasks = held
    held = []
    if (tasks.length > 0 && !leaving.aborted) await options.onLost(tasks)
  }

  return {
    reconsider: () => reconsidering.resolve(),
    async part(isForGood) {
      // A static member of this protocol just ceases to be heard.
      if (memberId === '' || !isForGood) return
      const { group, instanceId } = options
      // On the connection of the offsets: on the other one a JoinGroup may be waiting.
      await coordinator.call(leaveGroupRequest({ group, memberId, instanceId }), { lane: 'offsets' })
    },
    async live() {
      try {
        while (!leaving.aborted) await oneGeneration()
      } catch (error) {
        if (leaving.aborted) return
        await lose()
        throw toError(error)
      }
    },
  }
}

/** The group has gone on without this member. */
function isOver(heart: Heartbeats): boolean {
  const news = heart.latest()
  return news !== undefined && news.kind !== 'rebalance'
}
