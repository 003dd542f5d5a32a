import { inspect } from 'node:util'
import { MillraceError } from '../../errors.ts'
import { BatchWriter, stampBatch } from '../../log/batch/batch-writer.ts'
import { partitionFor } from '../../log/batch/partitioner.ts'
import { readBatch } from '../../log/batch/read-batch.ts'
import type { RecordBatch } from '../../log/batch/record-batch.ts'
import { globalRows } from '../../runtime/task/global-rows.ts'
import { restoreStore } from '../../runtime/task/restore.ts'
import { createTask, type Task } from '../../runtime/task/task.ts'
import { ByteWriter } from '../../serde/bytes.ts'
import type { Codec } from '../../serde/serde.ts'
import { manualClock } from '../../time.ts'
import type { AnySerde } from '../../topology/node.ts'
import { partitionCounts } from '../../topology/partitions.ts'
import { type Plan, plan } from '../../topology/plan.ts'
import type { Topology } from '../../topology/topology.ts'

/** A record of the input. */
export interface ReplayRecord {
  readonly topic: string
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
}

/** How the same input is worked on: in which batches it lies in the log, and what happens meanwhile. */
export interface ReplaySchedule {
  /** Sizes of the batches, over and over; each at least 1. */
  readonly batches: readonly number[]
  /** Then everything is processed and committed to the end. */
  readonly steps: readonly ReplayStep[]
}

export interface ReplayStep {
  /** Which task, modulo their number. */
  readonly task: number
  /** Process up to `count` records; commit; or lose what was not committed and come back from the log. */
  readonly does: 'process' | 'commit' | 'crash'
  readonly count: number
}

/** What there is in the end, each entry as text. */
export interface ReplayOutcome {
  /** By topic, every record in the order of the partitions and offsets. */
  readonly topics: ReadonlyMap<string, readonly ReplayedRecord[]>
  /** By store, the live entries of all tasks, sorted. */
  readonly stores: ReadonlyMap<string, readonly string[]>
}

export interface ReplayedRecord {
  readonly key: string
  readonly text: string
  /** Its value is null. */
  readonly deletion: boolean
}

export interface ReplayOptions {
  readonly partitions: number
  readonly emit: 'update' | 'commit'
}

/** All in one batch, one commit at the end: what every schedule is compared with. */
export const STRAIGHT: ReplaySchedule = { batches: [Number.MAX_SAFE_INTEGER], steps: [] }

const DEAD_LETTERS = 'dead-letters'

/**
 * Runs a topology over an input that lies in the log from the beginning, as after a long stop, under a schedule. Every task
 * is an instance of its own: what it writes is seen by others when it commits, and is gone when it crashes before.
 */
export function replay(
  topology: Topology,
  input: readonly ReplayRecord[],
  schedule: ReplaySchedule,
  options: ReplayOptions,
): ReplayOutcome {
  const planned = plan(topology)
  const counts = partitionCounts(planned, () => options.partitions)
  const log = replayLog()
  writeInput(planned, log, input, schedule.batches, options.partitions)
  const globals = readGlobals(planned, log, options.partitions)
  const tasks = planned.subtopologies.flatMap((subtopology) =>
    Array.from({ length: counts.get(`subtopology:${subtopology.id}`)! }, (_, partition) =>
      replayTask(log, () =>
        createTask(subtopology, partition, {
          application: planned.application,
          emit: options.emit,
          globals,
          partitions: (topic) => counts.get(topic) ?? options.partitions,
          tasks: (id) => counts.get(`subtopology:${id}`)!,
          clock: manualClock(),
          policies: { undecodable: 'dead-letter', failing: 'fail', refused: 'dead-letter' },
          deadLetterTopic: DEAD_LETTERS,
        }),
      ),
    ),
  )
  for (const { task, does, count } of schedule.steps) {
    const of = tasks[task % tasks.length]
    if (does === 'process') of.process(count)
    else if (does === 'commit') of.commit()
    else of.crash()
  }
  for (let moved = true; moved; ) {
    moved = false
    for (const task of tasks) {
      const processed = task.process(Number.MAX_SAFE_INTEGER)
      if (task.commit() || processed > 0) moved = true
    }
  }
  return { topics: readOutputs(planned, log), stores: readStores(tasks.map(({ current }) => current())) }
}

type ReplayLog = ReturnType<typeof replayLog>

function replayLog() {
  const partitions = new Map<string, RecordBatch[]>()
  const read = (topic: string, partition: number): RecordBatch[] => {
    const name = `${topic}/${partition}`
    let batches = partitions.get(name)
    if (batches === undefined) partitions.set(name, (batches = []))
    return batches
  }
  const end = (topic: string, partition: number) => (read(topic, partition).at(-1)?.lastOffset ?? -1) + 1
  return {
    read,
    end,
    append(topic: string, partition: number, bytes: Buffer) {
      const baseOffset = end(topic, partition)
      stampBatch(bytes, { producerId: -1, epoch: -1, sequence: -1, transactional: false, baseOffset })
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      read(topic, partition).push(readBatch(bytes, view, 0, bytes.length))
    },
  }
}

function replayTask(log: ReplayLog, create: () => Task) {
  let committed: { positions: ReadonlyMap<string, number>; times: Readonly<Record<string, number[]>> } = {
    positions: new Map(),
    times: {},
  }
  let task: Task
  const open = () => {
    task = create()
    for (const codec of task.codecs) {
      if (codec.prepare?.()) throw new MillraceError('INVALID_OPTION', 'a replay does no I/O, and a serde needs it')
    }
    for (const { changelog, store } of task.stores) {
      if (changelog) for (const batch of log.read(changelog, task.partition)) restoreStore(store, batch, 0)
    }
    for (const { topic } of task.inputs) task.seek(topic, committed.positions.get(topic) ?? 0)
    task.start(committed.times)
  }
  open()
  return {
    current: () => task,
    process(count: number): number {
      for (const { topic, fetched } of task.inputs) {
        const batches = log.read(topic, task.partition).filter(({ lastOffset }) => lastOffset >= fetched)
        const end = log.end(topic, task.partition)
        if (batches.length) task.add(topic, batches, end, end)
      }
      return task.process(count)
    },
    /** Whether it wrote anything. */
    commit(): boolean {
      const { batches, positions, times } = task.flush()
      for (const { topic, partition, bytes } of batches) log.append(topic, partition, bytes)
      committed = { positions, times }
      return batches.length > 0
    },
    crash: open,
  }
}

function writeInput(
  { subtopologies, globals }: Plan,
  log: ReplayLog,
  input: readonly ReplayRecord[],
  sizes: readonly number[],
  partitions: number,
): void {
  const serdes = new Map<string, { key?: AnySerde; value?: AnySerde }>()
  for (const { sources } of subtopologies) for (const source of sources) serdes.set(source.topic, source)
  for (const source of globals) serdes.set(source.topic, source)
  const open = new Map<string, BatchWriter>()
  let nth = 0
  const finish = (name: string, writer: BatchWriter) => {
    const at = name.lastIndexOf('/')
    log.append(name.slice(0, at), Number(name.slice(at + 1)), writer.finish())
  }
  for (const { topic, key, value, timestamp } of input) {
    const of = serdes.get(topic)
    if (!of) throw new MillraceError('MISSING_TOPIC', 'the topology does not read this topic', { topic })
    const keyBytes = encoded(of.key, 'key', topic, key)
    const name = `${topic}/${keyBytes === null ? 0 : partitionFor(keyBytes, partitions)}`
    let writer = open.get(name)
    if (writer === undefined) open.set(name, (writer = new BatchWriter(256)))
    writer.append(timestamp, keyBytes, encoded(of.value, 'value', topic, value))
    if (writer.count < sizes[nth % sizes.length]) continue
    finish(name, writer)
    nth++
  }
  for (const [name, writer] of open) if (writer.count > 0) finish(name, writer)
}

function encoded(serde: AnySerde | undefined, part: 'key' | 'value', topic: string, of: unknown): Buffer | null {
  if (of === null) return null
  if (serde === undefined) return Buffer.from(of as Uint8Array)
  const out = new ByteWriter()
  serde.open({ topic, part }).encode(of, out)
  return Buffer.from(out.bytes())
}

/** Global tables are read whole before the tasks start; the input lies there from the beginning. */
function readGlobals(planned: Plan, log: ReplayLog, partitions: number): Map<unknown, unknown> {
  const stores = new Map<unknown, unknown>()
  for (const source of planned.globals) {
    const rows = globalRows(source)
    for (let partition = 0; partition < partitions; partition++) {
      for (const batch of log.read(source.topic, partition)) {
        rows.apply(batch, 0, (error) => {
          throw error
        })
      }
    }
    stores.set(source.spec, rows.store)
  }
  return stores
}

function readOutputs({ subtopologies }: Plan, log: ReplayLog): Map<string, ReplayedRecord[]> {
  const topics = new Map<string, ReplayedRecord[]>()
  for (const { nodes } of subtopologies) {
    for (const { node } of nodes) {
      if (!node.target || node.target.repartition) continue
      const { topic } = node.target
      const key = node.target.key?.open({ topic, part: 'key' })
      const value = node.target.value?.open({ topic, part: 'value' })
      const records: ReplayedRecord[] = []
      for (let partition = 0; ; partition++) {
        const batches = log.read(topic, partition)
        if (batches.length === 0 && partition > 32) break
        for (const batch of batches) records.push(...decoded(batch, key, value))
      }
      topics.set(topic, records)
    }
  }
  return topics
}

function* decoded(
  batch: RecordBatch,
  key: Codec<unknown> | undefined,
  value: Codec<unknown> | undefined,
): Iterable<ReplayedRecord> {
  const part = (codec: Codec<unknown> | undefined, start: number, end: number) =>
    start < 0 ? null : codec ? codec.decode(batch, start, end) : batch.buffer.subarray(start, end)
  for (let i = 0; i < batch.count; i++) {
    const k = text(part(key, batch.keyStart[i], batch.keyEnd[i]))
    const v = text(part(value, batch.valueStart[i], batch.valueEnd[i]))
    yield { key: k, text: `${k}: ${v} @${batch.timestamps[i]}`, deletion: batch.valueStart[i] < 0 }
  }
}

function readStores(tasks: readonly Task[]): Map<string, string[]> {
  const stores = new Map<string, string[]>()
  for (const { stores: of } of tasks) {
    for (const { name, store } of of) {
      const entries = stores.get(name) ?? []
      for (const { key, start, value, timestamp } of store.all()) entries.push(text({ key, start, value, timestamp }))
      stores.set(name, entries.sort())
    }
  }
  return stores
}

const text = (of: unknown): string =>
  inspect(of, { depth: Number.POSITIVE_INFINITY, sorted: true, breakLength: Number.POSITIVE_INFINITY })
