import { isRetriable, type MillraceError, toError } from '../../../../errors.ts'
import { type Clock, WAIT_ENDED } from '../../../../time.ts'
import { parseTask } from '../../../assignor/tasks.ts'
import type { TaskProgress } from '../../../log.ts'
import { backoff } from '../../backoff.ts'
import { errorCodes, isRetriableCode } from '../../wire/error-codes.ts'
import type { GroupCoordinator } from '../group-coordinator.ts'
import type { Timeouts } from '../join-round.ts'
import {
  JOINING,
  type StreamsHeartbeat,
  type StreamsHeartbeatAnswer,
  streamsHeartbeatRequest,
  TASK_OFFSETS,
  type TaskLists,
} from './protocol.ts'
import { refusal, verdict } from './refusals.ts'
import { fromTaskIds, toTaskIds } from './topology.ts'

/** Tasks by their ids, 'subtopology_partition'. */
export interface Tasks {
  readonly active: readonly string[]
  readonly standby: readonly string[]
  readonly warmup: readonly string[]
}

export const noTasks: Tasks = { active: [], standby: [], warmup: [] }

/** Where the member stands, as of the newest answer. A new object for everything that changes. */
export type Standing =
  | { readonly kind: 'joining' }
  | {
      readonly kind: 'in'
      readonly epoch: number
      /** What it is to run. */
      readonly tasks: Tasks
      /** Nothing has changed for a while, and the broker waits for nothing. */
      readonly isSettled: boolean
    }
  /** The group has gone on without this member. */
  | { readonly kind: 'lost' }
  /** Membership cannot go on. */
  | { readonly kind: 'failed'; readonly error: Error }

export interface Heart {
  readonly standing: Standing
  /** Resolves when the standing is another one than this. */
  changed(from: Standing): Promise<void>
  /** Tells the broker, now, what is run: the acknowledgement of what it has taken away. */
  own(tasks: Tasks): void
  /** Tells the broker, now, how far the state of the tasks is here. */
  reportProgress(): void
  stop(): void
  /** Resolves when no heartbeat is under way. */
  idle(): Promise<void>
}

export interface HeartOptions extends Timeouts {
  readonly coordinator: GroupCoordinator
  readonly version: number
  /** All that the broker is told of a member when it joins. */
  readonly introduction: Omit<StreamsHeartbeat, 'epoch' | 'owned'>
  readonly clock: Clock
  readonly random: () => number
  /** Another member has the instance id; throws when it must be left to that one. */
  onUnreleased(): Promise<void>
  onWarning(message: string): void
  progress(): readonly TaskProgress[]
}

/** The interval that a broker advises would be the time for which moving tasks stand still: it answers every heartbeat. */
const RESTLESS_MS = 200
/** How long the broker may say that topics are missing or do not fit: it may only not have heard of them yet. */
const STATUS_PATIENCE_MS = 20_000

/**
 * The heartbeats of one membership, from the one that joins to the last. Each tells the broker where the member is, and is
 * answered with where it should be; so all of the protocol is here, and nothing of what tasks are (see member.ts).
 *
 * After a heartbeat whose answer did not come the next one says everything again: the broker takes the epoch before its
 * newest only together with the tasks that are owned (GroupMetadataManager of Kafka's group coordinator).
 */
export function streamsHeart(on: HeartOptions): Heart {
  const { coordinator, version, introduction, sessionTimeoutMs, heartbeatIntervalMs, clock, random } = on
  const { group, memberId, instanceId } = introduction
  const stopped = new AbortController()
  const pause = backoff({ firstMs: Math.min(50, heartbeatIntervalMs), maxMs: heartbeatIntervalMs, random })
  const warned = new Set<string>()
  let standing: Standing = { kind: 'joining' }
  let changed = Promise.withResolvers<void>()
  let isOver = Promise.resolve()
  let hurry = new AbortController()
  let epoch = JOINING
  let owned = noTasks
  /** The next heartbeat tells what is owned, and everything. */
  let isReport = false
  let isComplete = true
  let advisedMs = heartbeatIntervalMs
  let aliveAt = clock.now()
  let restlessUntil = 0
  /** When progress is told next: the broker says how often it wants to know. */
  let progressAt = Infinity
  let troubledSince: number | undefined

  function become(next: Standing): void {
    if (stopped.signal.aborted) return
    standing = next
    if (next.kind === 'lost' || next.kind === 'failed') stopped.abort(WAIT_ENDED)
    changed.resolve()
    changed = Promise.withResolvers()
  }

  const fail = (error: Error) => become({ kind: 'failed', error })

  function message(isTold: boolean): StreamsHeartbeat {
    const lists = isComplete || isReport ? { owned: wireTasks(owned) } : {}
    const progress = isTold ? wireProgress(on.progress()) : {}
    const { topology, ...rest } = introduction
    // An instance id that is not repeated is no protection: a process that has been replaced must be told so.
    const self = isComplete ? rest : { group, memberId, instanceId }
    return { ...self, ...lists, ...progress, epoch, ...(epoch === JOINING && { topology }) }
  }

  /** Resolves to how long to wait before the next one. */
  async function beat(): Promise<number> {
    const sentAt = clock.now()
    // A third of the session, so that a broker which has stopped answering leaves time to find another one.
    const options = { lane: 'membership', timeoutMs: sessionTimeoutMs / 3 } as const
    const isTold = sentAt >= progressAt && version >= TASK_OFFSETS
    const request = streamsHeartbeatRequest(version, message(isTold))
    isReport = false
    isComplete = false
    try {
      const answer = await coordinator.call(request, options)
      if (answer.error === errorCodes.NONE) {
        aliveAt = sentAt
        pause.reset()
        heed(answer, isTold)
        return isRestless() ? Math.min(RESTLESS_MS, heartbeatIntervalMs) : Math.min(advisedMs, heartbeatIntervalMs)
      }
      await refused(answer)
    } catch (error) {
      if (!isRetriable(error)) fail(toError(error))
    }
    isComplete = true
    return pause.next()
  }

  async function refused({ error, message: why }: StreamsHeartbeatAnswer): Promise<void> {
    switch (error) {
      case errorCodes.UNKNOWN_MEMBER_ID:
      case errorCodes.FENCED_MEMBER_EPOCH:
        return become({ kind: 'lost' })
      case errorCodes.UNRELEASED_INSTANCE_ID:
        return on.onUnreleased()
    }
    coordinator.heed(error)
    if (!isRetriableCode(error)) fail(refusal(error, why, group, instanceId))
  }

  const isRestless = () => clock.now() < restlessUntil || troubledSince !== undefined

  function heed(answer: StreamsHeartbeatAnswer, isTold: boolean): void {
    // Not before it was told: it may have fallen due while this answer was on its way.
    if (isTold || progressAt === Infinity) {
      progressAt = answer.offsetIntervalMs > 0 ? clock.now() + answer.offsetIntervalMs : Infinity
    }
    advisedMs = answer.heartbeatIntervalMs > 0 ? answer.heartbeatIntervalMs : heartbeatIntervalMs
    const before = standing.kind === 'in' ? standing : undefined
    const tasks = answer.tasks === undefined ? (before?.tasks ?? noTasks) : readTasks(answer.tasks)
    const isSame = before !== undefined && before.epoch === answer.epoch && isEqual(before.tasks, tasks)
    epoch = answer.epoch
    const isWaiting = judge(answer)
    // Longer than any member waits between two heartbeats when all is quiet: what is on its way comes within it.
    if (!isSame || isWaiting) restlessUntil = clock.now() + 2 * Math.max(advisedMs, heartbeatIntervalMs)
    const isSettled = !isRestless()
    if (!isSame || before.isSettled !== isSettled) become({ kind: 'in', epoch, tasks, isSettled })
  }

  /** True while the broker still has something to do before it gives out tasks. */
  function judge({ statuses }: StreamsHeartbeatAnswer): boolean {
    let isWaiting = false
    let trouble: MillraceError | undefined
    for (const status of statuses) {
      const found = verdict(status, group)
      if (found.kind === 'wait') isWaiting = true
      else if (found.kind === 'end') {
        if (found.atOnce) fail(found.error)
        trouble = found.error
      } else if (!warned.has(found.message)) {
        warned.add(found.message)
        on.onWarning(found.message)
      }
    }
    troubledSince = trouble && (troubledSince ?? clock.now())
    if (trouble && clock.now() - troubledSince! > STATUS_PATIENCE_MS) fail(trouble)
    return isWaiting
  }

  async function beatOn(): Promise<void> {
    while (!stopped.signal.aborted) {
      const done = Promise.withResolvers<void>()
      isOver = done.promise
      const wait = await beat()
      done.resolve()
      if (isReport) continue
      hurry = new AbortController()
      await clock.sleep(wait, AbortSignal.any([stopped.signal, hurry.signal]))
    }
  }

  /** Beside the heartbeats, since one of them may hang for longer than the session has left. */
  async function watchSession(): Promise<void> {
    while (!stopped.signal.aborted) {
      const left = aliveAt + sessionTimeoutMs - clock.now()
      if (standing.kind === 'joining') await changed.promise
      else if (left <= 0) become({ kind: 'lost' })
      else await clock.sleep(left, stopped.signal)
    }
  }

  void beatOn()
  void watchSession()
  return {
    get standing() {
      return standing
    },
    changed: (from) => (standing === from ? changed.promise : Promise.resolve()),
    own(tasks) {
      owned = tasks
      isReport = true
      hurry.abort(WAIT_ENDED)
    },
    reportProgress() {
      progressAt = 0
      hurry.abort(WAIT_ENDED)
    },
    stop: () => stopped.abort(WAIT_ENDED),
    idle: () => isOver,
  }
}

const wireTasks = ({ active, standby, warmup }: Tasks): TaskLists => ({
  active: toTaskIds(active),
  standby: toTaskIds(standby),
  warmup: toTaskIds(warmup),
})

/** Nothing is said of nothing: an empty list would say that what was told before is void. */
function wireProgress(progress: readonly TaskProgress[]): Pick<StreamsHeartbeat, 'offsets' | 'endOffsets'> {
  if (progress.length === 0) return {}
  const told = progress.map(({ task, offset, end }) => ({ ...parseTask(task), offset, end }))
  return { offsets: told, endOffsets: told.map((of) => ({ ...of, offset: of.end })) }
}

const readTasks = ({ active, standby, warmup }: TaskLists): Tasks => ({
  active: fromTaskIds(active),
  standby: fromTaskIds(standby),
  warmup: fromTaskIds(warmup),
})

/** Whether the same tasks are meant, in whatever order. */
export function isEqual(a: Tasks, b: Tasks): boolean {
  return isSameSet(a.active, b.active) && isSameSet(a.standby, b.standby) && isSameSet(a.warmup, b.warmup)
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const set = new Set(a)
  return a.length === b.length && b.every((task) => set.has(task))
}
