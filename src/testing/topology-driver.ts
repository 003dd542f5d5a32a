import { MillraceError } from '../errors.ts'
import { BatchWriter } from '../log/batch/batch-writer.ts'
import { partitionFor } from '../log/batch/partitioner.ts'
import type { Headers } from '../record.ts'
import type { OutgoingBatch } from '../runtime/task/outbox.ts'
import type { Task } from '../runtime/task/task.ts'
import type { Entry } from '../state/store.ts'
import { manualClock } from '../time.ts'
import { type Plan, plan } from '../topology/plan.ts'
import type { Topology } from '../topology/topology.ts'
import { DriverGlobals } from './driver-globals.ts'
import type { DriverOptions } from './driver-options.ts'
import { DriverOutput } from './driver-output.ts'
import type { DriverEntry, DriverRecord, DriverRow } from './driver-records.ts'
import { DriverSerdes } from './driver-serdes.ts'
import { DEAD_LETTERS, DriverTasks } from './driver-tasks.ts'
import { DriverTopics } from './driver-topics.ts'

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
  /** The user's topics that the topology reads. */
  readonly inputs: readonly string[]
  /** The user's topics that it writes. */
  readonly outputs: readonly string[]
  private readonly options: DriverOptions
  private readonly topics = new DriverTopics()
  private readonly output = new DriverOutput()
  private readonly serdes: DriverSerdes
  private readonly tasks: DriverTasks
  private globals: DriverGlobals
  private readonly clock = manualClock()
  private readonly partitions: number

  /** Throws `INVALID_TOPOLOGY` as `run` would. */
  constructor(topology: Topology, options: DriverOptions = {}) {
    this.options = options
    this.partitions = options.partitions ?? 1
    this.plan = plan(topology)
    this.serdes = new DriverSerdes(this.plan, options.registry)
    this.inputs = this.serdes.inputs
    this.outputs = this.serdes.outputs
    const { partitions, topics, clock } = this
    this.tasks = new DriverTasks({ plan: this.plan, options, partitions, topics, clock })
    this.globals = this.createGlobals()
    this.tasks.create(this.globals)
  }

  /**
   * Puts a record into a topic that the topology reads, and runs it and all that follows from it to the end. It goes to
   * the partition of its key, as from any Kafka producer; without a key to the first.
   *
   * Throws `MISSING_TOPIC` for a topic that the topology does not read, and what a failing operator threw.
   */
  pipe(topic: string, key: unknown, value: unknown, timestamp: number, headers: Headers = []): void {
    if (!this.inputs.includes(topic)) {
      throw new MillraceError('MISSING_TOPIC', 'the topology does not read this topic', {
        topic,
        hint: `it reads ${this.inputs.join(', ')}`,
      })
    }
    const keyBytes = this.serdes.encode(topic, 'key', key)
    const partition =
      keyBytes === null ? 0 : partitionFor(keyBytes, this.partitions, 0, keyBytes.length - this.serdes.keySuffix(topic))
    this.pipeBytes(topic, keyBytes, this.serdes.encode(topic, 'value', value), timestamp, headers, partition)
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
    return this.output
      .take(topic)
      .flatMap(({ partition, batch }) => this.serdes.decode(topic, partition, batch)) as DriverRecord<K, V>[]
  }

  /** Takes the rows that came to a sink, by its name, since the last call. They come at `commit()`. */
  rows<K = unknown, V = unknown>(sink: string): DriverRow<K, V>[] {
    return this.output.takeRows(sink) as DriverRow<K, V>[]
  }

  /** What a store holds, over all tasks. Throws `INVALID_OPTION` for a name that the topology does not have. */
  store<K = unknown, A = unknown>(name: string): DriverEntry<K, A>[] {
    const shared = this.globals.find(name)
    const stores = shared
      ? [shared]
      : this.tasks.all.flatMap((task) => task.stores.filter((store) => store.name === name))
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
    for (const { counters } of this.tasks.all) {
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

  /** Moves wall-clock time on: timers of `process` that are due fire, time-outs and retries of `mapAsync` come. */
  advanceWallClock(ms: number): void {
    this.clock.advance(ms)
    // The log says that there is nothing new: a source may become idle.
    for (const task of this.tasks.all) for (const of of task.inputs) task.add(of.topic, [], of.fetched, of.end)
    for (const task of this.tasks.all) task.tick(this.clock.now())
    this.settle()
  }

  /**
   * Resolves when every call of `mapAsync` that is under way has come back and all that follows from it has run. What
   * waits for the wall clock (a retry, a time-out) needs `advanceWallClock`.
   */
  async settled(): Promise<void> {
    for (this.settle(); this.tasks.all.some(({ inFlight }) => inFlight > 0); this.settle()) {
      await Promise.race(this.tasks.all.filter(({ inFlight }) => inFlight > 0).map((task) => task.nextAnswer()))
    }
  }

  /** `commit` for a topology with `mapAsync`: waits, as the runtime does, for calls under way and those it makes. */
  async commitSettled(): Promise<void> {
    await this.settled()
    for (const { id } of this.plan.subtopologies) {
      for (const task of this.tasks.of(id)) {
        await task.rest()
        this.commitTask(task)
      }
      await this.settled()
    }
  }

  /** A commit as the runtime does it: held-back updates come out, changelogs are written, positions are kept. */
  commit(): void {
    // Upstream first, so that what its flush writes is processed and committed downstream too.
    for (const { id } of this.plan.subtopologies) {
      for (const task of this.tasks.of(id)) this.commitTask(task)
      this.settle()
    }
  }

  private commitTask(task: Task): void {
    const output = task.flush()
    for (const batch of output.batches) this.deliver(batch, task.id)
    this.topics.commit(task.id)
    for (const rows of output.sinks) this.output.addRows(rows)
    this.tasks.commit(task, output)
  }

  /**
   * A crash and a restart: memory is lost, state comes back from the changelogs, input from the last commit on. What was
   * written since then is taken back, as an aborted transaction is; what `read` has given already stays given, and
   * comes again.
   */
  restart(): void {
    this.output.drop(this.topics.abort())
    this.tasks.close()
    this.globals = this.createGlobals()
    this.tasks.create(this.globals)
    this.settle()
  }

  /** Appends a batch to the log and gives it to whoever reads the topic. */
  private deliver({ topic, partition, bytes, reuse }: OutgoingBatch, writer?: string): void {
    const batch = this.topics.append(topic, partition, Buffer.from(bytes), writer)
    reuse?.()
    this.globals.apply(topic, batch)
    const reader = this.tasks.reading(topic, partition)
    reader?.add(topic, [batch], batch.lastOffset + 1, batch.lastOffset + 1)
    if (writer === undefined || (!this.outputs.includes(topic) && topic !== DEAD_LETTERS)) return
    this.output.add(topic, partition, batch)
  }

  private createGlobals(): DriverGlobals {
    return new DriverGlobals(this.plan, this.options, this.topics, this.partitions)
  }

  /** Runs all tasks until nothing moves any more. */
  private settle(): void {
    for (let moved = true; moved; ) {
      moved = false
      for (const task of this.tasks.all) {
        while (task.process(1000, true) > 0) moved = true
        if (task.blocked) {
          throw new MillraceError('INVALID_OPTION', 'a schema must be loaded, and the driver does no I/O', {
            hint: 'give it a memoryRegistry() that holds every schema: new TopologyDriver(topology, { registry })',
          })
        }
        for (const batch of task.drain()) {
          moved = true
          this.deliver(batch, task.id)
        }
      }
    }
  }
}
