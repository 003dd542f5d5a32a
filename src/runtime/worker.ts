import type { Logger } from 'pino'
import { toError } from '../errors.ts'
import { BatchBuffers } from '../log/batch/batch-buffers.ts'
import type { LogGroup } from '../log/log.ts'
import type { Plan } from '../topology/plan.ts'
import { type AssignmentDependencies, type OpenTask, statefulIds, taskIds } from './assignment.ts'
import { createBacklog } from './backlog.ts'
import { hasCaughtUp, isBehind, isReadable } from './caught-up.ts'
import { createAlarm, createCommands } from './commands.ts'
import { type Commits, createCommits, type TaskSet } from './commits.ts'
import type { CommitStep } from './committer.ts'
import { afterFetchError } from './fetch-errors.ts'
import { createFetcher } from './fetcher.ts'
import type { Globals } from './globals.ts'
import type { HeapWatch } from './heap.ts'
import type { Metrics } from './metrics.ts'
import type { Settings } from './options.ts'
import { createOwnership, type Ownership } from './ownership.ts'
import type { Patience } from './patience.ts'
import { processId } from './process-id.ts'
import { createProcessing, SLICE_RECORDS } from './processing.ts'
import type { Sinks } from './sinks.ts'
import { createSnapshots } from './snapshots/snapshots.ts'
import { createStampGate } from './stamp-gate.ts'
import { createStandbys } from './standbys.ts'
import type { Status } from './status.ts'
import { groupSubtopologies } from './topics.ts'

/** How much output may wait for a commit. */
const EARLY_SEND_BYTES = 2 * 1024 * 1024
const MOST_PENDING_BYTES = 32 * 1024 * 1024
const TICK_MS = 100

export interface WorkerDependencies {
  readonly globals: Globals
  readonly plan: Plan
  readonly counts: ReadonlyMap<string, number>
  /** Bytes of the largest batch that a topic takes. */
  readonly largestBatch: (topic: string) => number
  readonly settings: Settings
  readonly sinks: Sinks
  readonly metrics: Metrics
  readonly heap: HeapWatch
  readonly status: Status
  readonly patiently: Patience
  readonly logger: Logger
  /** Aborted when the application is told to stop at once. */
  readonly signal: AbortSignal
  readonly onStep?: (step: CommitStep) => void | Promise<void>
  readonly beforeJoin?: () => Promise<void>
  readonly random?: () => number
}

/** Runs the tasks that the group assigns to it: fetch, process, commit, over and over. */
export interface Worker {
  /** Resolves after `stop`, rejects with what it failed of. */
  run(): Promise<void>
  /** Commits, leaves the group and ends. */
  stop(): Promise<void>
  readonly tasks: readonly OpenTask[]
  /** Whether the group has committed everything that its inputs, repartition topics included, hold at this moment. */
  caughtUp(): Promise<boolean>
  /** Resolves when the next commit has ended, well or not. */
  readonly nextCommit: Promise<void>
}

export function createWorker(on: WorkerDependencies): Worker {
  const { plan, counts, settings, sinks, metrics, heap, status, patiently, logger, signal, onStep } = on
  const { log, clock, commitIntervalMs } = settings
  const alarm = createAlarm(clock.sleep)
  const commands = createCommands(alarm.ring)
  const committedOnly = settings.guarantee === 'exactly-once' || log.kind !== 'kafka'
  const fetcher = createFetcher(log, committedOnly, settings.maxBufferedBytes)
  const gate = createStampGate()
  const backlog = createBacklog(plan, commitIntervalMs)
  const tasks: TaskSet = { running: [], parting: [] }
  const processing = createProcessing(clock, patiently, alarm.ring)
  let nextCommit = Promise.withResolvers<void>()
  let lastTick = 0
  let failure: Error | undefined
  let stopping = false

  const nonce = () =>
    Math.floor((on.random ?? Math.random)() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  const snapshots =
    settings.snapshots &&
    createSnapshots({
      ...settings.snapshots,
      application: settings.application,
      clock,
      nonce,
      logger,
      observer: { written: metrics.snapshotWritten, failed: metrics.snapshotFailed },
    })
  const ids = taskIds(plan, counts)
  const group: LogGroup = log.group({
    group: settings.application,
    topics: [...new Set(plan.subtopologies.flatMap(({ sources }) => sources.map(({ topic }) => topic)))],
    tasks: ids,
    subtopologies: groupSubtopologies(plan, counts),
    stateful: statefulIds(plan, ids),
    progress: () => ownership.progress(),
    processId: processId(),
    standbys: settings.standbys,
    maxWarmups: settings.maxWarmups,
    acceptableLag: settings.acceptableLag,
    instanceId: settings.instanceId,
    sessionTimeoutMs: settings.sessionTimeoutMs,
    heartbeatIntervalMs: Math.min(3_000, Math.floor(settings.sessionTimeoutMs / 3)),
    onRebalancing: () => ownership.callbacks.onRebalancing(),
    onRevoked: (lost, stamp) => ownership.callbacks.onRevoked(lost, stamp),
    onAssigned: (assignment) => ownership.callbacks.onAssigned(assignment),
    onLost: (lost) => ownership.callbacks.onLost(lost),
    onError: fail,
    onWarning: (message) => logger.warn(message),
  })
  const commits: Commits = createCommits({
    tasks,
    largestBatch: on.largestBatch,
    gate,
    settings,
    group,
    sinks,
    snapshots,
    metrics,
    patiently,
    logger,
    onStep,
    onCommitted: () => ownership.recovered(),
    onFailed: (error) => ownership.startOver(error),
    wake() {
      alarm.ring()
      nextCommit.resolve()
      nextCommit = Promise.withResolvers()
    },
  })
  const opening: AssignmentDependencies = {
    plan,
    globals: on.globals.stores,
    settings,
    counts,
    largestBatch: on.largestBatch,
    buffers: new BatchBuffers(),
    log,
    group,
    patiently,
    metrics,
    heap,
    logger,
    signal,
    wake: alarm.ring,
    nonce,
  }
  const standbys = createStandbys({ ...opening, onWarm: () => group.reconsider() })
  const ownership: Ownership = createOwnership({
    ...opening,
    tasks,
    gate,
    commands,
    commits,
    backlog,
    fetcher,
    sinks,
    snapshots,
    standbys,
    status,
    fail,
  })
  on.globals.failed.catch((error) => fail(toError(error)))

  function fail(error: Error): void {
    failure ??= error
    alarm.ring()
  }

  async function step(): Promise<void> {
    await commands.carryOut()
    if (stopping || failure) return
    try {
      fetcher.deliver(tasks.running)
    } catch (error) {
      await afterFetchError(error, { ...opening, tasks, startOver: ownership.startOver })
    }
    fetcher.start(tasks.running, alarm.ring)
    const pending = tasks.running.reduce((sum, { task }) => sum + task.pendingBytes, 0)
    const processed = pending < MOST_PENDING_BYTES ? processing.slice(tasks.running) : 0
    processing.loadSchemas(tasks.running)
    const now = clock.now()
    // A wall clock that is set back must not hold up the next commit until it has come round again.
    commits.notAfter(now)
    lastTick = Math.min(lastTick, now)
    if (now - lastTick >= TICK_MS) {
      lastTick = now
      for (const { task } of tasks.running) task.tick(now)
    }
    // Where much is processed, state may grow fast.
    if (processed >= SLICE_RECORDS || lastTick === now) {
      heap.check('processing', () => ({ holders: tasks.running.map(({ task }) => task) }))
    }
    const isWriting = snapshots?.work() ?? false
    commitWhatIsDue(now, pending, processed > 0)
    if (processed > 0 || isWriting) await clock.breathe()
    else await alarm.wait(restMs())
  }

  /** How long there is nothing to do unless something rings. */
  function restMs(): number {
    if (tasks.running.length === 0) return 1_000
    return gate.isOpen ? Math.max(1, commits.began + commitIntervalMs - clock.now()) : TICK_MS
  }

  /** While the group is rebalancing none is begun: what has been done waits, up to a bound, and processing goes on. */
  function commitWhatIsDue(now: number, pending: number, isBusy: boolean): void {
    const { running, parting } = tasks
    if (commits.underWay || !gate.isOpen || parting.length > 0 || running.length === 0) return
    const isReplayed = running.some(({ task }) => task.limited && task.atLimit)
    const isDue = isReplayed || now - commits.began >= commitIntervalMs || running.some(isCrowded)
    if (isDue || (!isBusy && backlog.isDone(now, running))) {
      backlog.committing(now, running)
      commits.start()
    } else if (pending > EARLY_SEND_BYTES) commits.sendAhead()
  }

  return {
    get tasks() {
      return tasks.running
    },
    async run() {
      try {
        await on.globals.restore()
        await commits.renew()
        await on.beforeJoin?.()
        status.phase('rebalancing')
        await group.join()
        while (!stopping && !failure) await step()
        if (failure) throw failure
      } catch (error) {
        await ownership.dropAll().catch(() => {})
        throw error
      } finally {
        ownership.end()
        await standbys.close().catch((error) => logger.debug({ err: error }, 'standbys'))
        await fetcher.close().catch(() => {})
        await group.leave().catch((error) => logger.debug({ err: error }, 'leave'))
        await commits.close()
      }
    },
    // What is known here need not be asked.
    caughtUp: async () =>
      ![...tasks.running, ...tasks.parting].some(isBehind) &&
      (await hasCaughtUp(plan, counts, log, group)) &&
      (settings.guarantee !== 'exactly-once' || isReadable(commits.written, log)),
    get nextCommit() {
      return nextCommit.promise
    },
    stop: () =>
      commands.ask(async () => {
        status.phase('stopping')
        ownership.end()
        gate.reopen()
        await commits.settled()
        if (tasks.running.length + tasks.parting.length > 0) commits.start()
        await commits.settled()
        await snapshots?.finish()
        tasks.running = []
        stopping = true
      }),
  }
}

/** What it has changed since the last commit takes more memory than state on disk may. */
const isCrowded = ({ state }: OpenTask) => state.stores.all.some(({ store }) => store.isCrowded?.())
