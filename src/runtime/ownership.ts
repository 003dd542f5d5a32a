import { isRetriable, MillraceError, toError } from '../errors.ts'
import type { GroupOptions, TaskProgress } from '../log/log.ts'
import { WAIT_ENDED } from '../time.ts'
import type { AssignmentDependencies, OpenTask } from './assignment.ts'
import type { Backlog } from './backlog.ts'
import type { Commands } from './commands.ts'
import type { Commits, TaskSet } from './commits.ts'
import type { Fetcher } from './fetcher.ts'
import { createOpenings } from './openings.ts'
import type { Sinks } from './sinks.ts'
import type { Snapshots } from './snapshots/snapshots.ts'
import type { StampGate } from './stamp-gate.ts'
import type { Standbys } from './standbys.ts'
import { progressOf, type TaskState } from './state/task-state.ts'
import type { Status } from './status.ts'
import type { Task } from './task/task.ts'

/** For how long the group waits for a commit under way; then it is joined, and the commit may be refused. */
const HOLD_PATIENCE_MS = 5_000

export interface OwnershipDependencies extends AssignmentDependencies {
  readonly tasks: TaskSet
  readonly gate: StampGate
  readonly commands: Commands
  readonly commits: Commits
  readonly backlog: Backlog
  readonly fetcher: Fetcher
  readonly sinks: Sinks
  readonly snapshots: Snapshots | undefined
  readonly standbys: Standbys
  readonly status: Status
  readonly fail: (error: Error) => void
}

/** Which tasks run here, as the group has it: they are opened beside the loop, and given up when they are taken away. */
export interface Ownership {
  /** What the group says. */
  readonly callbacks: Required<Pick<GroupOptions, 'onRebalancing' | 'onRevoked' | 'onAssigned' | 'onLost'>>
  /** How far the states are that are here: see `GroupOptions.progress`. */
  progress(): TaskProgress[]
  /** A commit failed: what may be doubted is forgotten, and the tasks are opened as the last good commit left them. */
  startOver(error: Error): void
  /** A commit went well. */
  recovered(): void
  /** No task is opened any more. */
  end(): void
  /** Drops all tasks without committing. */
  dropAll(): Promise<void>
}

export function createOwnership(on: OwnershipDependencies): Ownership {
  const { tasks, gate, commands, commits, backlog, fetcher, snapshots, standbys, metrics, status, logger, fail } = on
  const { clock } = on.settings
  /** What the group has given to this instance; undefined between the loss of membership and the next assignment. */
  let assigned: ReadonlySet<string> | undefined
  /** Nothing runs here, and what may be meant for here is still being given up by others. */
  let isAwaiting = false
  const openings = createOpenings({ ...on, onOpened: adopt })
  let failures = 0
  let hasEnded = false
  let isStartingOver = false
  let missingStandbys = 0

  const idsOf = (open: readonly OpenTask[]) => open.map(({ task }) => task.id)

  function tell(): void {
    if (hasEnded) return
    const isRestoring = openings.ids.length > 0
    const phase = assigned === undefined || isAwaiting ? 'rebalancing' : isRestoring ? 'restoring' : 'running'
    status.phase(phase, idsOf(tasks.running))
  }

  function close(open: readonly OpenTask[]): void {
    for (const { task } of open) {
      task.close()
      forgetTask(task)
    }
  }

  function forgetTask(task: Task): void {
    metrics.forget(task)
    snapshots?.drop(task)
  }

  /** Closes tasks that have committed everything; their states may be wanted as standbys. */
  function leave(open: readonly OpenTask[]): void {
    for (const { task, state } of open) {
      // A range that had been planned, and was not processed to its end, is not committed.
      if (task.limited) task.close()
      else {
        task.release()
        standbys.leave(state)
      }
      forgetTask(task)
    }
  }

  /** Takes tasks out of processing. */
  function takeOut(isMeant: (id: string) => boolean): readonly OpenTask[] {
    const taken = tasks.running.filter(({ task }) => isMeant(task.id))
    if (taken.length > 0) {
      tasks.running = tasks.running.filter((open) => !taken.includes(open))
      // What is being fetched may be for them; the others ask again.
      fetcher.forget()
    }
    return taken
  }

  /** Opens what is to run here and does not. */
  function openMissing(): void {
    if (hasEnded || assigned === undefined) return
    const here = new Set([...idsOf(tasks.running), ...openings.ids])
    const missing = [...assigned].filter((id) => !here.has(id))
    if (missing.length > 0) openings.open(missing, new Map(missing.flatMap((id) => taken(id))))
    tell()
  }

  function taken(id: string): (readonly [string, TaskState])[] {
    const state = standbys.take(id)
    return state ? [[id, state]] : []
  }

  function adopt(opened: readonly OpenTask[], ms: number): void {
    for (const { task, identity, stores, restored } of opened) {
      snapshots?.opened(task, identity, stores)
      if (!restored.wasStandby) continue
      metrics.promoted(ms / 1000)
      logger.info({ task: task.id, records: restored.records, ms }, 'standby promoted')
    }
    tasks.running = [...tasks.running, ...opened].sort((a, b) => (a.task.id < b.task.id ? -1 : 1))
    fetcher.forget()
    backlog.mayBegin()
    tell()
  }

  function warnOfMissing(missing: number): void {
    metrics.standbysMissing(missing)
    if (missing > missingStandbys) {
      logger.warn(
        { missing, standbys: on.settings.standbys },
        'too few instances for the standbys that were asked for: start more, or ask for fewer',
      )
    }
    missingStandbys = missing
  }

  async function atMost(ms: number, work: Promise<void>): Promise<void> {
    const done = new AbortController()
    await Promise.race([work, clock.sleep(ms, done.signal)])
    done.abort(WAIT_ENDED)
  }

  /** Nothing of what these tasks have done since the last commit is left. */
  function forget(): void {
    // Records without the offsets they come from would be processed again, and their results doubled.
    commits.forsake()
    close([...tasks.running, ...tasks.parting])
    tasks.running = []
    tasks.parting = []
    fetcher.forget()
  }

  async function reopen(): Promise<void> {
    isStartingOver = false
    // Membership was lost meanwhile: everything is renewed already.
    if (assigned === undefined) return
    await clock.sleep(Math.min(100 * 2 ** failures++, 10_000), on.signal)
    await dropAll()
    await commits.renew()
    openMissing()
  }

  async function dropAll(): Promise<void> {
    openings.abandon(() => true)
    forget()
    snapshots?.clear()
    await commits.abort()
  }

  return {
    callbacks: {
      async onRebalancing() {
        await commands.ask(async () => {
          gate.announce()
          // No transaction stays open for as long as the group may take.
          if (commits.hasSentAhead && !commits.underWay) commits.start()
        })
        await atMost(HOLD_PATIENCE_MS, commits.settled())
        // Whoever stops waits for the group no more.
        if (!hasEnded) await atMost(HOLD_PATIENCE_MS, gate.close())
      },

      async onRevoked(lost, stamp) {
        logger.info({ tasks: lost, epoch: stamp.epoch }, 'tasks revoked')
        const isLost = (id: string) => lost.includes(id)
        let parting: readonly OpenTask[] = []
        await commands.ask(async () => {
          gate.open(stamp)
          assigned = new Set([...(assigned ?? [])].filter((id) => !isLost(id)))
          openings.abandon(isLost)
          parting = takeOut(isLost)
          tasks.parting = [...tasks.parting, ...parting]
          tell()
        })
        if (parting.length === 0) return
        // Beside the loop: the tasks that stay go on processing.
        await commits.settled()
        await commands.ask(async () => {
          if (parting.some((open) => tasks.parting.includes(open))) commits.start()
        })
        await commits.settled()
        await commands.ask(async () => {
          leave(parting.filter((open) => tasks.parting.includes(open)))
          tasks.parting = tasks.parting.filter((open) => !parting.includes(open))
        })
      },

      onAssigned: ({ active, standby, warmup = [], stamp, isMoving = false, missingStandbys: missing = 0 }) =>
        commands.ask(async () => {
          logger.info({ tasks: active, standby, warmup, epoch: stamp.epoch, member: stamp.memberId }, 'tasks assigned')
          warnOfMissing(missing)
          metrics.rebalanced()
          gate.open(stamp)
          assigned = new Set(active)
          isAwaiting = isMoving && active.length === 0
          const isGone = (id: string) => !active.includes(id)
          openings.abandon(isGone)
          close(takeOut(isGone))
          openMissing()
          if (!hasEnded) standbys.assign(standby, warmup)
          status.standbys([...standby, ...warmup])
        }),

      onLost: () =>
        commands.ask(async () => {
          logger.warn('membership lost: the tasks are dropped and the group is joined again')
          assigned = undefined
          gate.lose()
          forget()
          await commits.settled()
          await dropAll()
          await commits.renew()
          tell()
        }),
    },

    progress: () => [
      ...[...tasks.running, ...tasks.parting].flatMap(({ state }) =>
        state.positions.size > 0 ? [progressOf(state)] : [],
      ),
      ...standbys.progress(),
    ],

    startOver(error) {
      const isFenced = error instanceof MillraceError && error.code === 'FENCED'
      if (on.signal.aborted || (!isFenced && !isRetriable(error))) return fail(error)
      logger.warn(
        { err: error },
        isFenced ? 'fenced: starting over from the last commit' : 'commit failed: starting over',
      )
      forget()
      if (isStartingOver) return
      isStartingOver = true
      // Beside the loop: a commit under way may be waiting for what the group says there.
      commits
        .settled()
        .then(() => commands.ask(reopen))
        .catch((again) => fail(toError(again)))
    },
    recovered() {
      failures = 0
    },
    end() {
      hasEnded = true
      openings.abandon(() => true)
    },
    dropAll,
  }
}
