import { packTasks, unpackTasks } from '../../assignor/tasks.ts'
import type { TaskProgress, TopicPartition } from '../../log.ts'
import { WireReader } from '../wire/wire-reader.ts'
import { WireWriter } from '../wire/wire-writer.ts'

/** What a member tells the leader about itself when it joins. */
export interface Subscription {
  /** Source topics, for Kafka's own tools. */
  readonly topics: readonly string[]
  /** One per running process: standbys never go where the active task is. */
  readonly processId: string
  /** The tasks of the member's topology: the only ones it can run. */
  readonly tasks: readonly string[]
  /** What its subtopologies read, by their numbers; undefined when it does not say. */
  readonly reads?: ReadonlyMap<string, readonly string[]>
  /** The tasks that it runs, and the last generation it was in; -1 when there was none. */
  readonly owned: readonly string[]
  readonly generation: number
  /** Since version 2: those of its tasks that have state, and how far it has the state of tasks. */
  readonly stateful: readonly string[]
  readonly progress: readonly TaskProgress[]
  /** It can keep standbys: a member of version 1 would pass over them. */
  readonly keepsStandbys: boolean
}

/** What the leader decided for a member. */
export interface TaskAssignment {
  readonly active: readonly string[]
  readonly standby: readonly string[]
  readonly warmup: readonly string[]
  /** See `Assignment`. */
  readonly missingStandbys?: number
  /** All tasks that the leader knew of; undefined when it does not say. */
  readonly known?: readonly string[]
  /** Tasks are on their way from one member to another: the next round comes soon. */
  readonly isMoving: boolean
  /** What the active tasks read, for Kafka's own tools. */
  readonly reads: readonly TopicPartition[]
}

/**
 * Version of our own part. It is raised for additions only, which older members pass over; a change that they must not
 * pass over gets a protocol name of its own, so that the broker lets no mixed group form.
 */
const version = 2

// ConsumerProtocolSubscription and ConsumerProtocolAssignment, version 0, of Kafka's clients: later versions only append,
// and every tool reads version 0. Our own part is JSON in their `userData`.
const CONSUMER_PROTOCOL_VERSION = 0

export function encodeSubscription(of: Omit<Subscription, 'keepsStandbys'>): Buffer {
  const { topics, processId, tasks, reads, owned, generation, stateful, progress } = of
  return new WireWriter()
    .int16(CONSUMER_PROTOCOL_VERSION)
    .array(topics, (writer, topic) => writer.string(topic))
    .bytes(
      toJson({
        version,
        processId,
        generation,
        tasks: packTasks(tasks),
        ...(reads && { reads: Object.fromEntries(reads) }),
        owned: packTasks(owned),
        stateful: packTasks(stateful),
        progress: progress.map(({ task, offset, end }) => [task, offset, end]),
      }),
    )
    .finish()
}

/** A member whose part cannot be read runs nothing, and must not stop the others. */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new WireReader(bytes)
  const topics = tolerate(() => {
    reader.int16()
    return reader.array((r) => r.string())
  })
  const ours = topics ? fromJson(tolerate(() => reader.bytes())) : {}
  return {
    topics: topics ?? [],
    processId: typeof ours.processId === 'string' ? ours.processId : '',
    tasks: taskList(ours.tasks) ?? [],
    ...readsIn(ours.reads),
    owned: taskList(ours.owned) ?? [],
    generation: Number.isInteger(ours.generation) ? (ours.generation as number) : -1,
    stateful: taskList(ours.stateful) ?? [],
    progress: Array.isArray(ours.progress) ? ours.progress.flatMap(progressOf) : [],
    keepsStandbys: typeof ours.version === 'number' && ours.version >= 2,
  }
}

function readsIn(value: unknown): Pick<Subscription, 'reads'> {
  if (typeof value !== 'object' || value === null) return {}
  const reads = Object.entries(value as Record<string, unknown>)
  const isTopics = (of: unknown): of is string[] => Array.isArray(of) && of.every((topic) => typeof topic === 'string')
  if (!reads.every(([, topics]) => isTopics(topics))) return {}
  return { reads: new Map(reads as [string, string[]][]) }
}

function progressOf(entry: unknown): TaskProgress[] {
  if (!Array.isArray(entry)) return []
  const [task, offset, end] = entry as unknown[]
  const isWhole = typeof task === 'string' && Number.isSafeInteger(offset) && Number.isSafeInteger(end)
  return isWhole ? [{ task, offset: offset as number, end: end as number }] : []
}

export function encodeAssignment(of: TaskAssignment): Buffer {
  const { active, standby, warmup, missingStandbys, known, isMoving, reads } = of
  return new WireWriter()
    .int16(CONSUMER_PROTOCOL_VERSION)
    .array([...Map.groupBy(reads, ({ topic }) => topic)], (writer, [topic, partitions]) =>
      writer.string(topic).array(distinct(partitions), (w, partition) => w.int32(partition)),
    )
    .bytes(
      toJson({
        version,
        active: packTasks(active),
        standby: packTasks(standby),
        ...(warmup.length > 0 && { warmup: packTasks(warmup) }),
        ...(missingStandbys && { missingStandbys }),
        known: known && packTasks(known),
        ...(isMoving && { moving: true }),
      }),
    )
    .finish()
}

/** The broker answers with no bytes at all for a member that the leader has not thought of: it has nothing to run. */
export function decodeAssignment(bytes: Buffer): TaskAssignment {
  const reader = new WireReader(bytes)
  const topics = tolerate(() => {
    reader.int16()
    return reader.array((r) => ({ topic: r.string(), partitions: r.array((ids) => ids.int32()) }))
  })
  const ours = topics ? fromJson(tolerate(() => reader.bytes())) : {}
  const reads = (topics ?? []).flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
  const known = taskList(ours.known)
  return {
    active: taskList(ours.active) ?? [],
    standby: taskList(ours.standby) ?? [],
    warmup: taskList(ours.warmup) ?? [],
    ...(Number.isSafeInteger(ours.missingStandbys) && { missingStandbys: ours.missingStandbys as number }),
    ...(known && { known }),
    isMoving: ours.moving === true,
    reads,
  }
}

function distinct(partitions: readonly TopicPartition[]): number[] {
  return [...new Set(partitions.map(({ partition }) => partition))].sort((a, b) => a - b)
}

function toJson(ours: object): Buffer {
  return Buffer.from(JSON.stringify(ours))
}

function fromJson(userData: Buffer | null | undefined): Record<string, unknown> {
  const value = tolerate<unknown>(() => JSON.parse(userData?.toString() ?? ''))
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function taskList(value: unknown): string[] | undefined {
  return Array.isArray(value) ? unpackTasks(value) : undefined
}

function tolerate<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
