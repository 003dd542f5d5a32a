import { MillraceError } from '../errors.ts'
import { BatchWriter, stampBatch } from '../log/batch/batch-writer.ts'
import { readBatch } from '../log/batch/read-batch.ts'
import type { RecordBatch } from '../log/batch/record-batch.ts'
import type { Headers } from '../record.ts'
import type { OutgoingBatch } from '../runtime/task/outbox.ts'
import { restoreStore } from '../runtime/task/restore.ts'
import { createTask, type RecordPolicy, type Task } from '../runtime/task/task.ts'
import { ByteWriter, byteSource } from '../serde/bytes.ts'
import type { SchemaRegistry } from '../serde/serde.ts'
import type { Entry } from '../state/store.ts'
import type { AnySerde } from '../topology/node.ts'
import { partitionCounts } from '../topology/partitions.ts'
import { type Plan, plan } from '../topology/plan.ts'
import type { Topology } from '../topology/topology.ts'

export interface DriverOptions {
  /** 'update' (default): each update comes out at once, as in Kafka Streams without caches. 'commit': at `commit()`. */
  readonly emit?: 'update' | 'commit'
  /** Partitions of the user's topics; default 1. */
  readonly partitions?: number
  /** For Avro serdes: `memoryRegistry()`. One that answers with promises is refused, the driver does no I/O. */
  readonly registry?: SchemaRegistry
  readonly errors?: { readonly undecodable?: RecordPolicy; readonly failing?: RecordPolicy }
}

/** A record that came out of a topology. */
export interface DriverRecord<K = unknown, V = unknown> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly headers: Headers
  readonly partition: number
}

/** A row that came to a sink. */
export interface DriverRow<K = unknown, V = unknown> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly offset: number
}

/** What a store holds for one key, or key and window. */
export interface DriverEntry<K = unknown, A = unknown> {
  readonly key: K
  /** Start of the window; 0 where there are no windows. */
  readonly start: number
  /** The accumulator as the store keeps it. */
  readonly value: A
  readonly timestamp: number
}

const DEAD_LETTERS = 'dead-letters'

/**
 * Runs a topology record by record, with no log, no timers and no I/O: the very tasks that `run` runs, fed by hand. What
 * goes in is encoded and decoded as on the log, repartition topics included.
 *
 * @example
 * ```ts
 * const driver = new TopologyDriver(shop)
 * driver.pipe('payments', 'ada', { amount: 3 }, 1_000)
 * driver.read('revenue')   // [{ key: …, value: …, timestamp: 1_000, … }]
 * ```
 */
export class TopologyDriver {
  readonly plan: Plan
  private readonly options: DriverOptions
  private readonly counts: ReadonlyMap<string, number>
  private tasks: Task[] = []
  /** Everything written to each partition of each topic, as on a log. */
  private readonly logs = new Map<string, RecordBatch[][]>()
  private readonly unread = new Map<string, DriverRecord[]>()
  private readonly rowsOf = new Map<string, DriverRow[]>()
  private readonly serdes = new Map<string, { key?: AnySerde; value?: AnySerde }>()
  private readonly committed = new Map<
    string,
    { positions: ReadonlyMap<string, number>; times: Readonly<Record<string, number[]>> }
  >()
  private wallClock = 0

  /** Throws `INVALID_TOPOLOGY` as `run` would. */
  constructor(topology: Topology, options: DriverOptions = {}) {
    this.options = options
    this.plan = plan(topology)
    this.counts = partitionCounts(this.plan, () => options.partitions ?? 1)
    for (const { nodes, sources } of this.plan.subtopologies) {
      for (const { topic, key, value } of sources) this.serdes.set(topic, { key, value })
      for (const { node } of nodes) {
        if (node.target && !node.target.repartition && !this.serdes.has(node.target.topic)) {
          this.serdes.set(node.target.topic, node.target)
        }
      }
    }
    this.tasks = this.createTasks()
  }

  /** Puts a record into a topic that the topology reads, and runs it and all that follows from it to the end. */
  pipe(topic: string, key: unknown, value: unknown, timestamp: number, headers: Headers = []): void {
    const serdes = this.serdes.get(topic)
    if (!serdes) throw new MillraceError('MISSING_TOPIC', 'the topology does not read this topic', { topic })
    const bytes = (part: 'key' | 'value', of: unknown): Uint8Array | null => {
      if (of === null || of === undefined) return null
      const writer = new ByteWriter()
      const codec = serdes[part]?.open({ topic, part, registry: this.options.registry })
      if (!codec) return of as Uint8Array
      mustBeSync(codec.prepare?.())
      codec.encode(of, writer)
      return Buffer.from(writer.bytes())
    }
    this.pipeBytes(topic, bytes('key', key), bytes('value', value), timestamp, headers)
  }

  /** The same with the bytes as they are on the log: for records that cannot be decoded. */
  pipeBytes(
    topic: string,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestamp: number,
    headers: Headers = [],
    partition = 0,
  ): void {
    const writer = new BatchWriter(256)
    writer.append(timestamp, key, value, headers)
    this.deliver({ topic, partition, bytes: writer.finish(), records: 1 })
    this.settle()
  }

  /** Takes the records that came out on a topic since the last `read`, oldest first. */
  read<K = unknown, V = unknown>(topic: string): DriverRecord<K, V>[] {
    const records = this.unread.get(topic) ?? []
    this.unread.delete(topic)
    return records as DriverRecord<K, V>[]
  }

  /** Takes the rows that came to a sink, by its name, since the last call. They come at `commit()`. */
  rows<K = unknown, V = unknown>(sink: string): DriverRow<K, V>[] {
    const rows = this.rowsOf.get(sink) ?? []
    this.rowsOf.delete(sink)
    return rows as DriverRow<K, V>[]
  }

  /** What a store holds, over all tasks. Throws `INVALID_OPTION` for a name that the topology does not have. */
  store<K = unknown, A = unknown>(name: string): DriverEntry<K, A>[] {
    const stores = this.tasks.flatMap((task) => task.stores.filter((store) => store.name === name))
    if (stores.length === 0) throw new MillraceError('INVALID_OPTION', `the topology has no store "${name}"`)
    return stores.flatMap(({ store }) =>
      [...(store.all() as Iterable<Entry<K, A>>)].map(({ key, start, value, timestamp }) => ({
        key,
        start,
        value: value!,
        timestamp,
      })),
    )
  }

  /** How many records, or records for one window, were dropped so far, over all operators. */
  get dropped(): number {
    return [...this.droppedByReason().values()].reduce((sum, n) => sum + n, 0)
  }

  /** The same by reason. */
  droppedByReason(): Map<string, number> {
    const sums = new Map<string, number>()
    for (const { counters } of this.tasks) {
      for (const reasons of counters.dropped.values()) {
        for (const [reason, n] of reasons) sums.set(reason, (sums.get(reason) ?? 0) + n)
      }
    }
    return sums
  }

  /** Dead letters since the last call, with headers that say why. */
  deadLetters(): DriverRecord<Uint8Array | null, Uint8Array | null>[] {
    return this.read(DEAD_LETTERS)
  }

  /** Moves wall-clock time on: timers of `process` that are due fire. */
  advanceWallClock(ms: number): void {
    this.wallClock += ms
    for (const task of this.tasks) task.tick(this.wallClock)
    this.settle()
  }

  /** A commit as the runtime does it: held-back updates come out, changelogs are written, positions are kept. */
  commit(): void {
    // Upstream first, so that what its flush writes is processed and committed downstream too.
    for (const { id } of this.plan.subtopologies) {
      for (const task of this.tasks.filter((other) => other.id.startsWith(`${id}_`))) {
        const { batches, sinks, positions, times } = task.flush()
        for (const batch of batches) this.deliver(batch)
        for (const { sink, batch } of sinks) {
          const rows = this.rowsOf.get(sink.name) ?? []
          for (const [i, key] of batch.keys.entries()) {
            rows.push({ key, value: batch.values[i], timestamp: batch.timestamps[i], offset: batch.offsets[i] })
          }
          this.rowsOf.set(sink.name, rows)
        }
        this.committed.set(task.id, { positions, times })
      }
      this.settle()
    }
  }

  /** A crash and a restart: memory is lost, state comes back from the changelogs, input from the last commit on. */
  restart(): void {
    this.tasks = this.createTasks()
    this.settle()
  }

  private createTasks(): Task[] {
    const { errors, registry, emit = 'update' } = this.options
    return this.plan.subtopologies.flatMap((subtopology) => {
      const count = this.counts.get(`subtopology:${subtopology.id}`)!
      return Array.from({ length: count }, (_, partition) => {
        const task = createTask(subtopology, partition, {
          application: this.plan.application,
          registry,
          emit,
          partitions: (topic) => this.counts.get(topic) ?? this.options.partitions ?? 1,
          tasks: (id) => this.counts.get(`subtopology:${id}`)!,
          now: () => this.wallClock,
          policies: { undecodable: errors?.undecodable ?? 'dead-letter', failing: errors?.failing ?? 'fail' },
          deadLetterTopic: DEAD_LETTERS,
        })
        this.restore(task)
        return task
      })
    })
  }

  private restore(task: Task): void {
    for (const codec of task.codecs) mustBeSync(codec.prepare?.())
    for (const { changelog, store } of task.stores) {
      if (changelog) for (const batch of this.log(changelog, task.partition)) restoreStore(store, batch, 0)
    }
    const { positions, times } = this.committed.get(task.id) ?? { positions: new Map<string, number>(), times: {} }
    for (const { topic } of task.inputs) {
      task.seek(topic, positions.get(topic) ?? 0)
      const batches = this.log(topic, task.partition)
      const end = endOf(batches)
      task.add(topic, batches, end, end)
    }
    task.start(times)
  }

  /** Appends a batch to the log and gives it to whoever reads the topic. */
  private deliver({ topic, partition, bytes }: OutgoingBatch): void {
    const log = this.log(topic, partition)
    stampBatch(bytes, { producerId: -1, epoch: -1, sequence: -1, transactional: false, baseOffset: endOf(log) })
    const batch = readBatch(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
    log.push(batch)
    const reader = this.tasks.find(
      (task) => task.partition === partition && task.inputs.some((of) => of.topic === topic),
    )
    reader?.add(topic, [batch], batch.lastOffset + 1, batch.lastOffset + 1)
    if (!reader) this.keep(topic, partition, batch)
  }

  private keep(topic: string, partition: number, batch: RecordBatch): void {
    if (topic.endsWith('-changelog')) return
    const { key, value } = this.serdes.get(topic) ?? {}
    const decode = (part: 'key' | 'value', serde: AnySerde | undefined, from: number, to: number): unknown => {
      if (from < 0) return null
      const bytes = Buffer.from(batch.buffer.subarray(from, to))
      return serde
        ? serde.open({ topic, part, registry: this.options.registry }).decode(byteSource(bytes), 0, bytes.length)
        : bytes
    }
    const records = this.unread.get(topic) ?? []
    for (let i = 0; i < batch.count; i++) {
      records.push({
        key: decode('key', key, batch.keyStart[i], batch.keyEnd[i]),
        value: decode('value', value, batch.valueStart[i], batch.valueEnd[i]),
        timestamp: batch.timestamps[i],
        headers: batch.headers(i),
        partition,
      })
    }
    this.unread.set(topic, records)
  }

  /** Runs all tasks until nothing moves any more. */
  private settle(): void {
    for (let moved = true; moved; ) {
      moved = false
      for (const task of this.tasks) {
        while (task.process(1000, true) > 0) moved = true
        if (task.blocked) {
          throw new MillraceError('INVALID_OPTION', 'a schema must be loaded, and the driver does no I/O', {
            hint: 'give it a memoryRegistry() that holds every schema: new TopologyDriver(topology, { registry })',
          })
        }
        for (const batch of task.drain()) {
          moved = true
          this.deliver(batch)
        }
      }
    }
  }

  private log(topic: string, partition: number): RecordBatch[] {
    let partitions = this.logs.get(topic)
    if (!partitions) this.logs.set(topic, (partitions = []))
    return (partitions[partition] ??= [])
  }
}

function endOf(batches: readonly RecordBatch[]): number {
  const last = batches.at(-1)
  return last ? last.lastOffset + 1 : 0
}

function mustBeSync(result: Promise<void> | void): void {
  if (result instanceof Promise) {
    throw new MillraceError('INVALID_OPTION', 'the registry answers with promises, and the driver does no I/O', {
      hint: 'use memoryRegistry(): new TopologyDriver(topology, { registry: memoryRegistry() })',
    })
  }
}
