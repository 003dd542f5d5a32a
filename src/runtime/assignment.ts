import type { Logger } from 'pino'
import type { BatchBuffers } from '../log/batch/batch-buffers.ts'
import type { Log, LogGroup, Position } from '../log/log.ts'
import type { Plan } from '../topology/plan.ts'
import { type Checkpoint, checkpointOf } from './checkpoint.ts'
import type { HeapWatch } from './heap.ts'
import { lostPlans } from './lost-plans.ts'
import type { Metrics } from './metrics.ts'
import type { Settings } from './options.ts'
import type { Patience } from './patience.ts'
import { canGoOn, openedStore, restoreStates } from './restore.ts'
import type { OpenedStore } from './snapshots/snapshots.ts'
import { openState, partsOf, type TaskState } from './state/task-state.ts'
import type { TaskStores } from './task/stores.ts'
import { createTask, type Task } from './task/task.ts'

/** A task that runs here, and what the log knows of it. */
export interface OpenTask {
  readonly task: Task
  /** Its stores; positions are those of the last commit. */
  readonly state: TaskState
  /** Of its state; see `Checkpoint`. */
  readonly identity: string
  /** As last committed. */
  committed: { positions: ReadonlyMap<string, number>; times: Checkpoint['times'] }
  /** How its stores were opened. */
  readonly stores: readonly OpenedStore[]
  /** Records of changelogs that were read to open it, and whether it was a standby before. */
  readonly restored: { readonly records: number; readonly wasStandby: boolean }
}

export interface AssignmentDependencies {
  readonly plan: Plan
  readonly settings: Settings
  readonly globals: ReadonlyMap<unknown, unknown>
  readonly counts: ReadonlyMap<string, number>
  /** Bytes of the largest batch that a topic takes. */
  readonly largestBatch: (topic: string) => number
  /** Where all tasks gather their batches. */
  readonly buffers: BatchBuffers
  readonly log: Log
  readonly group: LogGroup
  readonly patiently: Patience
  readonly metrics: Metrics
  readonly heap: HeapWatch
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

/** Those that have a state to restore. */
export function statefulIds({ subtopologies }: Plan, ids: readonly string[]): string[] {
  return ids.filter((id) => subtopologies[partsOf(id)[0]].stores.some(({ changelog }) => changelog !== undefined))
}

/**
 * Creates tasks as the last commit left them: state from the changelogs, positions and time from the offsets. When that fails
 * nothing is left of their states.
 *
 * @param standbys - states that are here already, and belong to the tasks from now on
 */
export async function openTasks(
  ids: readonly string[],
  standbys: ReadonlyMap<string, TaskState>,
  on: AssignmentDependencies,
): Promise<OpenTask[]> {
  const states = ids.map((id) => stateOf(id, standbys.get(id), on))
  try {
    return await restoreTasks(ids, await Promise.all(states), standbys, on)
  } catch (error) {
    for (const state of await Promise.allSettled(states)) if (state.status === 'fulfilled') state.value.stores.close()
    throw error
  }
}

async function restoreTasks(
  ids: readonly string[],
  states: readonly TaskState[],
  standbys: ReadonlyMap<string, TaskState>,
  on: AssignmentDependencies,
): Promise<OpenTask[]> {
  const { plan, patiently, logger, settings } = on
  const tasks = ids.map((id, i) => create(id, states[i].stores, on))
  for (const task of tasks) {
    for (const codec of task.codecs) if (codec.prepare) await patiently('registry', async () => codec.prepare!())
  }
  const checkpoints = await findCheckpoints(
    tasks.map(({ inputs, partition }) => ({ partition, topics: inputs.map(({ topic }) => topic) })),
    on,
  )
  const planned = checkpoints.flatMap(({ positions, checkpoint: { plan = {} } }, i) =>
    Object.entries(plan).map(([topic, end]) => ({
      topic,
      partition: tasks[i].partition,
      offset: positions.get(topic)!,
      end,
    })),
  )
  const lost = await lostPlans(planned, on)
  const started = settings.clock.now()
  const identities = checkpoints.map(({ checkpoint }) => checkpoint.identity)
  const restored = await restoreStates(states, {
    ...on,
    clock: settings.clock,
    snapshots: settings.snapshots && {
      from: settings.snapshots.to,
      application: plan.application,
      identity: (task) => identities[ids.indexOf(task)],
    },
  })
  const records = restored.reduce((sum, of) => sum + of.records, 0)
  on.metrics.restored(records)
  if (records > 0) {
    const ms = settings.clock.now() - started
    logger.info({ tasks: ids.length, records, ms }, 'state restored')
  }
  return tasks.map((task, i) => {
    const { positions, checkpoint } = checkpoints[i]
    const committed = new Map(positions)
    const plan = new Map(Object.entries(checkpoint.plan ?? {}))
    for (const [topic, offset] of positions) task.seek(topic, offset)
    for (const { topic, partition, offset } of lost) {
      if (partition !== task.partition || !plan.delete(topic)) continue
      task.seek(topic, offset)
      // So that the next commit writes over what was planned, also where it moves nothing.
      committed.delete(topic)
    }
    task.start(checkpoint.times)
    if (checkpoint.plan) task.limit(Object.fromEntries(plan))
    const identity = identities[i] ?? on.nonce()
    const state = states[i]
    const mine = restored.filter((of) => of.state === state)
    return {
      task,
      state,
      identity,
      committed: { positions: committed, times: checkpoint.times },
      stores: mine.map(openedStore),
      restored: { records: mine.reduce((sum, of) => sum + of.records, 0), wasStandby: state === standbys.get(task.id) },
    }
  })
}

/** The one of a standby, unless its changelogs have gone on without it. */
async function stateOf(id: string, standby: TaskState | undefined, on: AssignmentDependencies): Promise<TaskState> {
  let goesOn = false
  try {
    if (standby) goesOn = await canGoOn(standby, on)
  } finally {
    if (!goesOn) standby?.stores.close()
  }
  return standby && goesOn ? standby : openState(id, on.plan, on.settings)
}

function create(id: string, stores: TaskStores, on: AssignmentDependencies): Task {
  const { plan, globals, settings, counts, logger, wake } = on
  const [subtopology, partition] = partsOf(id)
  return createTask(plan.subtopologies[subtopology], partition, {
    application: plan.application,
    registry: settings.registry,
    stores,
    globals,
    emit: 'commit',
    partitions: (topic) => counts.get(topic)!,
    tasks: (of) => counts.get(`subtopology:${of}`)!,
    clock: settings.clock,
    wake,
    policies: settings.errors,
    deadLetterTopic: settings.deadLetterTopic,
    buffers: on.buffers,
    largestBatch: on.largestBatch,
    onDeadLetter: ({ origin, reason, error }) =>
      logger.warn({ task: id, ...origin, reason, err: { message: error.message } }, 'record sent to the dead letters'),
    onSkip: ({ origin, reason, error }) =>
      logger.warn({ task: id, ...origin, reason, err: { message: error.message } }, 'record skipped'),
  })
}

/** Topics of one partition each, whose offsets are committed together. */
interface CommittedTogether {
  readonly topics: readonly string[]
  readonly partition: number
}

export async function findCheckpoints(
  tasks: readonly CommittedTogether[],
  { group, log, patiently, settings }: AssignmentDependencies,
): Promise<{ positions: Map<string, number>; checkpoint: Checkpoint }[]> {
  const partitions = tasks.flatMap(({ topics, partition }) => topics.map((topic) => ({ topic, partition })))
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
  return tasks.map(({ topics: unsorted, partition }) => {
    const topics = [...unsorted].sort()
    const positions = new Map(
      topics.map((topic) => [topic, (find(topic, partition) ?? startOf(topic, partition)).offset]),
    )
    const found = new Map(topics.map((topic) => [topic, find(topic, partition)?.metadata]))
    return { positions, checkpoint: checkpointOf(found) }
  })
}
