import { MillraceError } from '../../errors.ts'
import { type Clock, WAIT_ENDED } from '../../time.ts'
import type { TopicPartition } from '../log.ts'
import { Coordinator } from './coordinator.ts'
import { Partition } from './partition.ts'
import type { LocalProducer } from './producer.ts'
import type { LogStorage } from './storage.ts'
import type { Transaction } from './transaction.ts'

/** A change that waits to be stored together with others. */
export interface Job {
  /** Makes the change; called inside `LogStorage.atomically`. */
  store(storage: LogStorage): void
  done(): void
  failed(error: unknown): void
}

export interface Topic {
  readonly config: Readonly<Record<string, string>>
  readonly partitions: readonly Partition[]
}

export interface BrokerOptions {
  readonly clock: Clock
  /**
   * 'now': each change is stored as it is made (storage in memory).
   * 'tick': the changes of one turn of the event loop are stored together, because each write to a file has its price.
   */
  readonly write: 'now' | 'tick'
  /**
   * How long a transaction whose commit is acknowledged stays undecided for readers, in ms: as on Kafka, where its markers are
   * written afterwards. Default 0.
   */
  readonly markersMs?: () => number
}

/**
 * A log inside one process, whatever it is stored in: topics, the offsets they hand out, transactions, groups. Several
 * connections (see `localLog`) may share one.
 */
export class Broker {
  readonly storage: LogStorage
  readonly clock: Clock
  readonly topics = new Map<string, Topic>()
  readonly transactions = new Set<Transaction>()
  /** The newest producer of each transactional id. */
  readonly producers = new Map<string, LocalProducer>()
  /** By transactional id: ends when the transactions that were committed under it are decided for readers. */
  readonly marking = new Map<string, Promise<void>>()
  readonly markersMs: () => number
  private readonly coordinators = new Map<string, Coordinator>()
  private readonly write: 'now' | 'tick'
  private jobs: Job[] = []
  private readonly dirty = new Set<Partition>()
  private scheduled = false
  private readonly waiters = new Set<() => void>()
  private opened = false

  constructor(storage: LogStorage, options: BrokerOptions) {
    this.storage = storage
    this.clock = options.clock
    this.write = options.write
    this.markersMs = options.markersMs ?? (() => 0)
  }

  open(): void {
    if (this.opened) return
    this.storage.open()
    for (const topic of this.storage.topics())
      this.topics.set(topic.name, {
        config: topic.config,
        partitions: topic.partitions.map((stored, index) => new Partition(topic.name, index, stored)),
      })
    this.opened = true
  }

  close(): void {
    if (!this.opened) return
    this.flush()
    this.opened = false
    this.storage.close()
    this.topics.clear()
    this.wake()
  }

  /** Throws `CLOSED` unless it is open. */
  check(): void {
    if (!this.opened) throw new MillraceError('CLOSED', 'the log is not open', { hint: 'await connect() first' })
  }

  /** Throws `MISSING_TOPIC`. */
  partition({ topic, partition }: TopicPartition): Partition {
    this.check()
    const found = this.topics.get(topic)?.partitions[partition]
    if (found !== undefined) return found
    if (this.topics.has(topic))
      throw new MillraceError('MISSING_TOPIC', 'the topic has no such partition', { topic, partition })
    throw new MillraceError('MISSING_TOPIC', 'the topic does not exist', { topic, hint: 'create it before it is used' })
  }

  coordinator(group: string): Coordinator {
    let coordinator = this.coordinators.get(group)
    if (coordinator === undefined) this.coordinators.set(group, (coordinator = new Coordinator(group, this.clock)))
    return coordinator
  }

  /** Stores a change with the next write, and the offsets that these partitions have handed out. */
  submit(job: Job, partitions: Iterable<Partition> = []): void {
    this.jobs.push(job)
    this.touch(partitions)
  }

  /** Stores the offsets that these partitions have handed out with the next write. */
  touch(partitions: Iterable<Partition>): void {
    for (const partition of partitions) if (!partition.deleted) this.dirty.add(partition)
    this.schedule()
  }

  /** Creates a topic unless there is one of this name. */
  createTopic(name: string, partitions: number, config: Readonly<Record<string, string>>): void {
    if (this.topics.has(name)) return
    this.storage.atomically(() => {
      const ids = this.storage.createTopic(name, partitions, config)
      const made = ids.map((id, index) => new Partition(name, index, { id, start: 0, next: 0 }))
      this.topics.set(name, { config, partitions: made })
    })
  }

  /** Drops a topic, with what is under way to it. */
  deleteTopic(name: string): void {
    const topic = this.topics.get(name)
    if (topic === undefined) return
    this.flush()
    this.storage.atomically(() => this.storage.deleteTopic(name))
    for (const partition of topic.partitions) {
      partition.deleted = true
      this.dirty.delete(partition)
    }
    this.topics.delete(name)
    this.wake()
  }

  /** Stores everything that waits, in one atomic write, and tells those who wait for it. */
  flush(): void {
    const { jobs, storage, dirty } = this
    if (jobs.length === 0 && dirty.size === 0) return
    this.jobs = []
    try {
      storage.atomically(() => {
        for (const job of jobs) job.store(storage)
        for (const partition of dirty) storage.setNext(partition.id, partition.next)
      })
    } catch (error) {
      // What was handed out to these batches becomes a hole; `next` stays dirty and is stored with the next write.
      for (const partition of dirty) partition.settled()
      for (const job of jobs) job.failed(error)
      return
    }
    for (const partition of dirty) partition.written(partition.next)
    dirty.clear()
    for (const job of jobs) job.done()
    this.wake()
  }

  /** Resolves when something has become visible, or after `ms`, or when `signal` aborts. */
  async change(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const ended = new AbortController()
    const end = () => ended.abort(WAIT_ENDED)
    this.waiters.add(end)
    signal?.addEventListener('abort', end, { once: true })
    if (signal?.aborted) end()
    await this.clock.sleep(ms, ended.signal)
    this.waiters.delete(end)
    signal?.removeEventListener('abort', end)
  }

  wake(): void {
    for (const waiter of this.waiters) waiter()
    this.waiters.clear()
  }

  private schedule(): void {
    if (this.write === 'now') this.flush()
    else if (!this.scheduled) {
      this.scheduled = true
      setImmediate(() => {
        this.scheduled = false
        if (this.opened) this.flush()
      })
    }
  }
}
