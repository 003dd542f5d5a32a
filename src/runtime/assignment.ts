import type { Logger } from 'pino'
import type { Log, LogGroup, Position } from '../log/log.ts'
import type { Plan } from '../topology/plan.ts'
import { type Checkpoint, checkpointOf } from './checkpoint.ts'
import type { Settings } from './options.ts'
import type { Patience } from './patience.ts'
import { restoreTasks } from './restore.ts'
import type { OpenedStore } from './snapshots/snapshots.ts'
import { createTask, type Task } from './task/task.ts'

/** A task that runs here, and what the log knows of it. */
export interface OpenTask {
  readonly task: Task
  /** Of its state; see `Checkpoint`. */
  readonly identity: string
  /** As last committed. */
  committed: { positions: ReadonlyMap<string, number>; times: Checkpoint['times'] }
  /** How its stores were opened. */
  readonly stores: readonly OpenedStore[]
}

export interface AssignmentDependencies {
  readonly plan: Plan
  readonly settings: Settings
  readonly globals: ReadonlyMap<unknown, unknown>
  readonly counts: ReadonlyMap<string, number>
  readonly log: Log
  readonly group: LogGroup
  readonly patiently: Patience
  readonly logger: Logger
  readonly signal: AbortSignal
  /** A task has work to do again. */
  readonly wake: () => void
  readonly nonce: () => string
}

/** Ids of all tasks of a plan: 'subtopology_partition'. */
export function taskIds(plan: Plan, counts: ReadonlyMap<string, number>): string[] {
  return plan.subtopologies.flatMap(({ id }) =>
    Array.from({ length: counts.get(`subtopology:${id}`)! }, (_, partition) => `${id}_${partition}`),
  )
}

/** Creates tasks as the last commit left them: state from the changelogs, positions and time from the offsets. */
export async function openTasks(ids: readonly string[], on: AssignmentDependencies): Promise<OpenTask[]> {
  const { plan, patiently, logger, settings } = on
  const tasks = ids.map((id) => create(id, on))
  for (const task of tasks) {
    for (const codec of task.codecs) if (codec.prepare) await patiently('registry', async () => codec.prepare!())
  }
  const checkpoints = await findCheckpoints(tasks, on)
  const started = settings.clock.now()
  const identities = checkpoints.map(({ checkpoint }) => checkpoint.identity)
  const { records, stores } = await restoreTasks(tasks, {
    ...on,
    clock: settings.clock,
    snapshots: settings.snapshots && {
      from: settings.snapshots.to,
      application: plan.application,
      identity: (task) => identities[tasks.indexOf(task)],
    },
  })
  if (records > 0) {
    const ms = settings.clock.now() - started
    logger.info({ tasks: ids.length, records, ms }, 'state restored')
  }
  return tasks.map((task, i) => {
    const { positions, checkpoint } = checkpoints[i]
    for (const [topic, offset] of positions) task.seek(topic, offset)
    task.start(checkpoint.times)
    if (checkpoint.plan) task.limit(checkpoint.plan)
    const identity = identities[i] ?? on.nonce()
    const opened = stores.filter((store) => store.task === task)
    return { task, identity, committed: { positions, times: checkpoint.times }, stores: opened }
  })
}

function create(id: string, { plan, globals, settings, counts, logger, wake }: AssignmentDependencies): Task {
  const [subtopology, partition] = id.split('_').map(Number)
  return createTask(plan.subtopologies[subtopology], partition, {
    application: plan.application,
    registry: settings.registry,
    state: settings.state,
    globals,
    emit: 'commit',
    partitions: (topic) => counts.get(topic)!,
    tasks: (of) => counts.get(`subtopology:${of}`)!,
    clock: settings.clock,
    wake,
    policies: settings.errors,
    deadLetterTopic: settings.deadLetterTopic,
    onDeadLetter: ({ origin, reason, error }) =>
      logger.warn({ task: id, ...origin, reason, err: { message: error.message } }, 'record sent to the dead letters'),
    onSkip: ({ origin, reason, error }) =>
      logger.warn({ task: id, ...origin, reason, err: { message: error.message } }, 'record skipped'),
  })
}

async function findCheckpoints(
  tasks: readonly Task[],
  { group, log, patiently, settings }: AssignmentDependencies,
): Promise<{ positions: Map<string, number>; checkpoint: Checkpoint }[]> {
  const partitions = tasks.flatMap(({ inputs, partition }) => inputs.map(({ topic }) => ({ topic, partition })))
  const committed = await patiently('log', () => group.committed(partitions))
  const find = (topic: string, partition: number) =>
    committed.find((offset) => offset.topic === topic && offset.partition === partition)
  const fresh = partitions.filter(({ topic, partition }) => !find(topic, partition))
  const starts = fresh.length
    ? await patiently('log', () =>
        settings.startFrom === 'latest' ? log.admin.endOffsets(fresh) : log.admin.startOffsets(fresh),
      )
    : []
  const startOf = (topic: string, partition: number): Position =>
    starts.find((start) => start.topic === topic && start.partition === partition)!
  return tasks.map(({ inputs, partition }) => {
    const topics = inputs.map(({ topic }) => topic).sort()
    const positions = new Map(
      topics.map((topic) => [topic, (find(topic, partition) ?? startOf(topic, partition)).offset]),
    )
    const found = new Map(topics.map((topic) => [topic, find(topic, partition)?.metadata]))
    return { positions, checkpoint: checkpointOf(found) }
  })
}
