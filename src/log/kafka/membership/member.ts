import { isRetriable, MillraceError, toError } from '../../../errors.ts'
import type { Clock } from '../../../time.ts'
import type { GroupOptions } from '../../log.ts'
import { backoff } from '../backoff.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import { type Heartbeats, heartbeats } from './heartbeat.ts'
import { type Joined, joinRound, type Timeouts } from './join-round.ts'

export interface MemberOptions {
  readonly coordinator: GroupCoordinator
  readonly options: GroupOptions
  readonly timeouts: Timeouts
  readonly clock: Clock
  readonly random: () => number
  /** Aborted by `leave`: no callback is called after it. */
  readonly leaving: AbortSignal
  /** The group has taken this member in; called for every generation, before `onAssigned`. */
  onJoined(): void
}

export interface Member {
  /** Empty until the broker has given one. */
  id(): string
  /** Lives through one generation after the other. Resolves after `leave`; rejects when membership cannot go on. */
  live(): Promise<void>
}

/**
 * The life of a member in the eager protocol: join, run the tasks, and when others come or go stop all of them and join
 * again. The callbacks are awaited here and nowhere else, and so come one at a time; heartbeats go on beside them.
 */
export function member({ coordinator, options, timeouts, clock, random, leaving, onJoined }: MemberOptions): Member {
  const pause = backoff({ firstMs: 20, maxMs: 2_000, random })
  const left = new Promise<void>((resolve) => leaving.addEventListener('abort', () => resolve()))
  let memberId = ''
  /** Of the last generation this member was in: where its state is. */
  let owned: readonly string[] = []
  let generation = -1
  /** What runs now. */
  let held: readonly string[] = []

  async function oneGeneration(): Promise<void> {
    const joined = await enter()
    if (!joined) return
    const heart = heartbeats(coordinator, joined.stamp, { ...timeouts, clock, random })
    onJoined()
    try {
      await start(joined, heart)
      await Promise.race([heart.news, left])
      if (heart.latest()?.kind === 'rebalance') await revoke()
      else await lose()
    } finally {
      heart.stop()
    }
    const news = heart.latest()
    if (news?.kind === 'failed') throw news.error
    if (news?.kind === 'lost' && news.expired) memberId = ''
  }

  /** Joins until it is in; `undefined` after `leave`. */
  async function enter(): Promise<Joined | undefined> {
    let hasInsisted = false
    while (!leaving.aborted) {
      let isPatient = true
      try {
        const round = await joinRound(coordinator, options, timeouts, { memberId, owned, generation })
        memberId = round.memberId
        if (round.kind === 'joined') {
          owned = round.assignment.active
          generation = round.stamp.epoch
          if (hasInsisted || !isOutdated(round)) return round
          hasInsisted = true
        }
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

  /** Until the tasks have started, or there is news, or they cannot start at all: that is thrown. */
  async function start({ stamp, assignment: { active, standby } }: Joined, heart: Heartbeats): Promise<void> {
    while (!leaving.aborted && !heart.latest()) {
      held = active
      try {
        await options.onAssigned({ active, standby, stamp })
        pause.reset()
        return
      } catch (error) {
        await lose()
        if (!isRetriable(error) && !isFenced(error)) throw error
      }
      await Promise.race([clock.sleep(pause.next(), leaving), heart.news])
    }
  }

  async function revoke(): Promise<void> {
    const tasks = held
    if (tasks.length === 0 || leaving.aborted) return
    try {
      await options.onRevoked(tasks)
      held = []
    } catch {
      await lose()
    }
  }

  async function lose(): Promise<void> {
    const tasks = held
    held = []
    if (tasks.length > 0 && !leaving.aborted) await options.onLost(tasks)
  }

  return {
    id: () => memberId,
    async live() {
      try {
        while (!leaving.aborted) await oneGeneration()
      } catch (error) {
        if (!leaving.aborted) throw toError(error)
      }
    },
  }
}

function isFenced(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'FENCED'
}
