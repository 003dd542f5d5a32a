import type { Logger } from 'pino'
import { isRetriable, MillraceError, toError } from '../errors.ts'
import type { Assignment, LogGroup, LogProducer, Position, Stamp } from '../log/log.ts'
import type { Plan } from '../topology/plan.ts'
import { type AssignmentDependencies, type OpenTask, openTasks, taskIds } from './assignment.ts'
import { createAlarm, createCommands } from './commands.ts'
import { type CommitStep, type Committer, createCommitter, refusedRowLetter } from './committer.ts'
import { createFetcher } from './fetcher.ts'
import type { Globals } from './globals.ts'
import type { Metrics } from './metrics.ts'
import type { Settings } from './options.ts'
import type { Patience } from './patience.ts'
import type { Sinks } from './sinks.ts'
import { createSnapshots } from './snapshots/snapshots.ts'
import type { Status } from './status.ts'
import type { Task } from './task/task.ts'

/** How much is processed before the loop looks around again, and how much output may wait for a commit. */
const SLICE_RECORDS = 4_096
const SLICE_MS = 10
const EARLY_SEND_BYTES = 4 * 1024 * 1024
const MOST_PENDING_BYTES = 32 * 1024 * 1024
const TICK_MS = 100
const TRIM_MS = 30_000

export interface WorkerDependencies {
  readonly globals: Globals
  readonly plan: Plan
  readonly counts: ReadonlyMap<string, number>
  readonly settings: Settings
  readonly sinks: Sinks
  readonly metrics: Metrics
  readonly status: Status
  readonly patiently: Patience
  readonly logger: Logger
  /** Aborted when the application is told to stop at once. */
  readonly signal: AbortSignal
  readonly onStep?: (step: CommitStep) => void | Promise<void>
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
}

export function createWorker(on: WorkerDependencies): Worker {
  const { plan, counts, settings, sinks, metrics, status, patiently, logger, signal } = on
  const { log, clock, guarantee, commitIntervalMs } = settings
  const transactional = guarantee === 'exactly-once'
  const transactionalId = transactional ? transactionalIdOf(settings) : undefined
  const alarm = createAlarm(clock.sleep)
  const commands = createCommands(alarm.ring)
  const fetcher = createFetcher(log, transactional || log.kind !== 'kafka', settings.maxBufferedBytes)

  let open: OpenTask[] = []
  /** Tasks between two rounds of the group: theirs again unless somebody else had them meanwhile. */
  let suspended: { readonly tasks: OpenTask[]; readonly epoch: number } | undefined
  let stamp: Stamp | undefined
  let producer: LogProducer | undefined
  let committer: Committer
  /** Tasks that wait for a schema. */
  const loading = new Set<Task>()
  let committing: Promise<void> | undefined
  let lastCommit = clock.now()
  let lastTick = 0
  let lastTrim = clock.now()
  let resets = 0
  let failure: Error | undefined
  let stopping = false
  /** Between the loss of an assignment and the next one. */
  let unassigned = true

  const group: LogGroup = log.group({
    group: settings.application,
    topics: [...new Set(plan.subtopologies.flatMap(({ sources }) => sources.map(({ topic }) => topic)))],
    tasks: taskIds(plan, counts),
    instanceId: settings.instanceId,
    sessionTimeoutMs: settings.sessionTimeoutMs,
    heartbeatIntervalMs: Math.min(3_000, Math.floor(settings.sessionTimeoutMs / 3)),
    onRevoked: () => commands.ask(revoke),
    onAssigned: (assignment) => commands.ask(() => assign(assignment)),
    onLost: () => commands.ask(lose),
    onError: fail,
  })
  on.globals.failed.catch((error) => fail(toError(error)))
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
  const assignmentOn: AssignmentDependencies = {
    plan,
    globals: on.globals.stores,
    settings,
    counts,
    log,
    group,
    patiently,
    logger,
    signal,
    wake: alarm.ring,
    snapshots,
    nonce,
  }

  // ------------------------------------------------------------------------------------------------ the group's word
  async function revoke(): Promise<void> {
    unassigned = true
    status.phase('rebalancing')
    await settled()
    if (open.length > 0) await commitNow()
    suspended = { tasks: open, epoch: stamp?.epoch ?? -1 }
    open = []
    fetcher.forget()
  }

  async function assign(assignment: Assignment): Promise<void> {
    const { active, stamp: next } = assignment
    logger.info({ tasks: active, epoch: next.epoch, member: next.memberId }, 'tasks assigned')
    metrics.rebalanced()
    const kept = suspended?.epoch === next.epoch - 1 ? suspended.tasks : []
    const mine = kept.filter(({ task }) => active.includes(task.id))
    for (const { task } of suspended?.tasks ?? []) {
      if (mine.some((kept) => kept.task === task)) continue
      task.close()
      metrics.forget(task)
      snapshots?.drop(task)
    }
    suspended = undefined
    stamp = next
    unassigned = false
    await openAll(mine, active)
  }

  async function lose(): Promise<void> {
    unassigned = true
    logger.warn('membership lost: the tasks are dropped and the group is joined again')
    status.phase('rebalancing', [])
    for (const { task } of open) task.close()
    await settled()
    await dropAll()
    await newProducer()
  }

  async function openAll(kept: readonly OpenTask[], ids: readonly string[]): Promise<void> {
    status.phase('restoring', ids)
    fetcher.forget()
    const missing = ids.filter((id) => !kept.some(({ task }) => task.id === id))
    const fresh = missing.length ? await openTasks(missing, assignmentOn) : []
    for (const { task } of fresh) {
      for (const sink of task.sinks) await patiently(`sink ${sink.sink.name}`, () => sinks.open(sink))
    }
    open = [...kept, ...fresh].sort((a, b) => (a.task.id < b.task.id ? -1 : 1))
    lastCommit = clock.now()
    status.phase('running', ids)
  }

  // ------------------------------------------------------------------------------------------------ commits
  const onRefused: Parameters<typeof createCommitter>[0]['onRefused'] = (sink, batch, row) => {
    const { range, offsets } = batch
    const at = { topic: range.topic, partition: range.partition, offset: offsets[row.index], sink }
    if (
      settings.errors.refused === 'fail' ||
      (settings.errors.refused === 'dead-letter' && !settings.deadLetterTopic)
    ) {
      throw new MillraceError('SINK_REFUSED', `${sink} refuses a row: ${row.error.message}`, {
        topic: range.topic,
        partition: range.partition,
        offset: offsets[row.index],
        cause: row.error,
        hint: "mend the row or the table, or set errors: { refused: 'dead-letter' }",
      })
    }
    logger.warn({ ...at, err: { message: row.error.message } }, `row refused by a sink: ${settings.errors.refused}`)
    return settings.errors.refused === 'skip'
      ? undefined
      : refusedRowLetter(settings.deadLetterTopic!, sink, batch, row)
  }

  function startCommit(): void {
    const started = clock.now()
    lastCommit = started
    const tasks = open
    const flushed = () => {
      const commit = snapshots?.begin() ?? 0
      const work = tasks.map((of) => ({ open: of, output: of.task.flush() }))
      for (const { task } of tasks) metrics.take(task)
      return committer.commit(work, stamp!, (batches) => snapshots?.committed(commit, batches))
    }
    // Calls to the outside come back first; other tasks go on meanwhile.
    const resting = tasks.flatMap(({ task }) => task.rest() ?? [])
    committing = (resting.length > 0 ? Promise.all(resting).then(flushed) : flushed())
      .then(({ batches, rows }) => {
        resets = 0
        if (batches + rows > 0) metrics.committed((clock.now() - started) / 1000)
        trim()
      })
      .catch(recover)
      .finally(() => {
        committing = undefined
        alarm.ring()
      })
  }

  async function commitNow(): Promise<void> {
    // A planned range that is being replayed ends where it ended; cut short, it is replayed by the next owner.
    open = open.filter(({ task }) => !task.limited || task.atLimit)
    if (open.length === 0) return
    startCommit()
    await settled()
  }

  /** Waits for the commit under way; what became of it is handled where it was started. */
  async function settled(): Promise<void> {
    while (committing !== undefined) await committing
  }

  /** A commit failed: what may be doubted is forgotten, and the tasks are opened as the last good commit left them. */
  function recover(thrown: unknown): void {
    const error = toError(thrown)
    const fenced = error instanceof MillraceError && error.code === 'FENCED'
    if (signal.aborted || (!fenced && !isRetriable(error))) return fail(error)
    logger.warn({ err: error }, fenced ? 'fenced: starting over from the last commit' : 'commit failed: starting over')
    const ids = open.map(({ task }) => task.id)
    for (const { task } of open) task.close()
    open = []
    fetcher.forget()
    void commands
      .ask(async () => {
        await clock.sleep(Math.min(100 * 2 ** resets++, 10_000), signal)
        await dropAll()
        await newProducer()
        // After a rebalance that came in between the next assignment decides what is opened.
        if (!unassigned) await openAll([], ids)
      })
      .catch((again) => fail(toError(again)))
  }

  async function dropAll(): Promise<void> {
    for (const { task } of [...open, ...(suspended?.tasks ?? [])]) {
      task.close()
      metrics.forget(task)
    }
    open = []
    suspended = undefined
    snapshots?.clear()
    fetcher.forget()
    await committer.abort().catch((error) => logger.debug({ err: error }, 'abort'))
  }

  async function newProducer(): Promise<void> {
    await producer?.close().catch(() => {})
    const fresh = log.producer({ transactionalId, transactionTimeoutMs: settings.transactionTimeoutMs })
    await patiently('log', () => fresh.init())
    producer = fresh
    committer = createCommitter({
      producer: fresh,
      transactional,
      group,
      sinks,
      patiently,
      onRefused,
      onStep: on.onStep,
    })
  }

  /** Repartition topics are trimmed behind their readers; not at every commit, and nobody waits for it. */
  function trim(): void {
    if (clock.now() - lastTrim < TRIM_MS) return
    lastTrim = clock.now()
    const behind = open.flatMap(({ task, committed }) =>
      task.inputs
        .filter(({ internal }) => internal)
        .map(({ topic }) => ({ topic, partition: task.partition, offset: committed.positions.get(topic)! })),
    )
    if (behind.length) log.admin.trim(behind).catch((error) => logger.debug({ err: error }, 'trim'))
  }

  // ------------------------------------------------------------------------------------------------ the loop
  function processSlice(): number {
    const until = clock.now() + SLICE_MS
    let done = 0
    for (let moved = true; moved && clock.now() < until; ) {
      moved = false
      for (const { task } of open) {
        if (loading.has(task)) continue
        const records = task.process(SLICE_RECORDS)
        if (records > 0) moved = true
        done += records
      }
    }
    return done
  }

  /** Loads beside the loop what blocked tasks wait for: the others go on, and so does the group. */
  function loadSchemas(): void {
    for (const { task } of open) {
      const load = task.blocked
      if (!load || loading.has(task)) continue
      loading.add(task)
      patiently('registry', load)
        .catch((error) => task.unresolved(toError(error)))
        .finally(() => {
          loading.delete(task)
          alarm.ring()
        })
    }
  }

  function fail(error: Error): void {
    failure ??= error
    alarm.ring()
  }

  async function step(): Promise<void> {
    await commands.carryOut()
    if (stopping || failure) return
    try {
      fetcher.deliver(open)
    } catch (error) {
      await handleFetchError(error)
    }
    fetcher.start(open, alarm.ring)
    const pending = open.reduce((sum, { task }) => sum + task.pendingBytes, 0)
    const processed = pending < MOST_PENDING_BYTES ? processSlice() : 0
    loadSchemas()
    const now = clock.now()
    // A wall clock that is set back must not hold up the next commit until it has come round again.
    lastCommit = Math.min(lastCommit, now)
    lastTick = Math.min(lastTick, now)
    lastTrim = Math.min(lastTrim, now)
    if (now - lastTick >= TICK_MS) {
      lastTick = now
      for (const { task } of open) task.tick(now)
    }
    snapshots?.work()
    if (!committing && open.length > 0) {
      // While a planned range is replayed nothing else may be committed.
      const replaying = open.some(({ task }) => task.limited)
      if (replaying ? open.every(({ task }) => !task.limited || task.atLimit) : now - lastCommit >= commitIntervalMs) {
        startCommit()
      } else if (pending > EARLY_SEND_BYTES && !replaying) {
        committer.send(open.flatMap(({ task }) => task.drain()))
      }
    }
    if (processed > 0) await new Promise(setImmediate)
    else await alarm.wait(Math.max(1, open.length ? lastCommit + commitIntervalMs - clock.now() : 1_000))
  }

  async function handleFetchError(thrown: unknown): Promise<void> {
    const error = toError(thrown)
    if (isRetriable(error)) {
      // Back is what answers: a wait that ends by itself would end after the first one every time.
      const asked = open.flatMap(({ task }) => task.inputs.map(({ topic }) => ({ topic, partition: task.partition })))
      await patiently(
        'log',
        once(error, () => log.admin.endOffsets(asked.slice(0, 1))),
      )
      return
    }
    if (!(error instanceof MillraceError) || error.code !== 'OFFSET_OUT_OF_RANGE') throw error
    const { topic, partition, offset } = error.context
    const { outOfRange } = settings
    if (outOfRange === 'fail' || topic === undefined || partition === undefined) throw error
    const at = [{ topic, partition }]
    const [to] = await patiently('log', () =>
      outOfRange === 'latest' ? log.admin.endOffsets(at) : log.admin.startOffsets(at),
    )
    logger.error({ topic, partition, offset, to: to.offset }, `offset out of range: going on at the ${outOfRange}`)
    open
      .find(({ task }) => task.partition === partition && task.inputs.some((of) => of.topic === topic))
      ?.task.seek(topic, to.offset)
  }

  return {
    get tasks() {
      return open
    },
    async run() {
      try {
        await on.globals.restore()
        await newProducer()
        status.phase('rebalancing')
        await group.join()
        while (!stopping && !failure) await step()
        if (failure) throw failure
      } catch (error) {
        await dropAll().catch(() => {})
        throw error
      } finally {
        await fetcher.close().catch(() => {})
        await group.leave().catch((error) => logger.debug({ err: error }, 'leave'))
        await producer?.close().catch(() => {})
      }
    },
    async caughtUp() {
      // Upstream first: when that is committed to its end, the end of what it writes is final; where two subtopologies
      // write to each other, it is when nothing has come in the meantime.
      const seen: Position[] = []
      for (const { id, sources } of plan.subtopologies) {
        const tasks = counts.get(`subtopology:${id}`)!
        const partitions = [...new Set(sources.map(({ topic }) => topic))].flatMap((topic) =>
          Array.from({ length: Math.min(tasks, counts.get(topic)!) }, (_, partition) => ({ topic, partition })),
        )
        const ends = await log.admin.endOffsets(partitions)
        const committed = await group.committed(partitions)
        const reached = ({ topic, partition, offset }: Position) =>
          offset === 0 ||
          committed.some((of) => of.topic === topic && of.partition === partition && of.offset >= offset)
        if (!ends.every(reached)) return false
        seen.push(...ends)
      }
      const now = await log.admin.endOffsets(seen)
      return seen.every(({ topic, partition, offset }) =>
        now.some((end) => end.topic === topic && end.partition === partition && end.offset === offset),
      )
    },
    stop: () =>
      commands.ask(async () => {
        status.phase('stopping')
        await settled()
        await commitNow()
        await snapshots?.finish()
        open = []
        stopping = true
      }),
  }
}

/** A call that fails the first time with what has already happened, so that waiting for it starts with a wait. */
function once(error: Error, call: () => Promise<unknown>): () => Promise<void> {
  let first = true
  return async () => {
    if (!first) return void (await call())
    first = false
    throw error
  }
}

/**
 * One transactional producer per worker (KIP-447). A fixed instance keeps its id over a restart, so that `init` ends
 * at once what the old process left open; any other gets a new one, and what it leaves open ends by time-out.
 */
function transactionalIdOf({ application, instanceId }: Settings): string {
  return `${application}-${instanceId ?? crypto.randomUUID()}`
}
