import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { ErrorCode } from '../../../errors.ts'
import { BatchWriter } from '../../../log/batch/batch-writer.ts'
import type {
  Assignment,
  FetchOptions,
  GroupOptions,
  Log,
  LogGroup,
  LogProducer,
  LogReader,
  ProducerOptions,
  ReaderOptions,
  Stamp,
} from '../../../log/log.ts'
import type { Header } from '../../../record.ts'

export interface MadeLog {
  /** Not connected yet. */
  readonly log: Log
  readonly cleanup: () => Promise<void>
  /** Gives what another process, or the same one after a restart, finds; `log` has been closed. Not connected yet. */
  readonly reopen?: () => Promise<Log>
  /** Has a topic with `cleanup.policy=compact` compacted now. */
  readonly compact?: (topic: string) => Promise<void>
}

export type MakeLog = () => Promise<MadeLog>

/** What a log offers; all by default, except what must be said. */
export interface LogCapabilities {
  readonly transactions?: boolean
  /** Several members of one group. */
  readonly multipleMembers?: boolean
  /** Transactions expire about when `transactionTimeoutMs` says. Default false: brokers look only every few seconds. */
  readonly promptExpiry?: boolean
  /** A reader may ask for records of open and aborted transactions. */
  readonly uncommitted?: boolean
  /** Bytes of a value that the log must take. Default 900,000. */
  readonly largeValue?: number
  /** What {@link MadeLog} offers. Default false. */
  readonly reopen?: boolean
  readonly compaction?: boolean
}

/** A record as the tests write it down. */
export interface Seen {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

export const ROOMY: FetchOptions = { maxBytes: 50_000_000, maxBytesPerPartition: 10_000_000, maxWaitMs: 0 }

/** The log that one suite runs on, and what its tests have in common. */
export class LogUnderTest {
  readonly capabilities: LogCapabilities
  private readonly make: MakeLog
  private made: MadeLog | undefined
  private current: Log | undefined
  private readonly run = randomUUID().slice(0, 8)
  private names = 0
  private readonly open: (() => Promise<void>)[] = []

  constructor(make: MakeLog, capabilities: LogCapabilities) {
    this.make = make
    this.capabilities = capabilities
  }

  async start(): Promise<void> {
    this.made = await this.make()
    this.current = this.made.log
    await this.current.connect()
  }

  async stop(): Promise<void> {
    for (const close of this.open) await close()
    await this.current?.close()
    await this.made?.cleanup()
  }

  get log(): Log {
    return this.current!
  }

  /** Closes the log and opens what is left of it. */
  async reopen(): Promise<void> {
    for (const close of this.open.splice(0)) await close()
    await this.log.close()
    this.current = await this.made!.reopen!()
    await this.current.connect()
  }

  compact(topic: string): Promise<void> {
    return this.made!.compact!(topic)
  }

  name(what: string): string {
    return `${what}-${this.run}-${++this.names}`
  }

  async topic(partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = this.name('topic')
    await this.log.admin.create([{ topic, partitions, config }])
    await eventually(async () => expect((await this.log.admin.partitions([topic])).get(topic)).toBe(partitions))
    return topic
  }

  reader(options?: ReaderOptions): LogReader {
    const reader = this.log.reader(options)
    this.open.push(() => reader.close())
    return reader
  }

  async producer(options?: ProducerOptions): Promise<LogProducer> {
    const producer = this.log.producer(options)
    this.open.push(() => producer.close())
    await producer.init()
    return producer
  }

  /** A producer with transactions, under an id of its own unless one is given. */
  transactional(transactionalId = this.name('transactional')): Promise<LogProducer> {
    return this.producer({ transactionalId })
  }

  /** Membership that keeps book of what it is told. */
  member(group: string, options: Partial<GroupOptions> & Pick<GroupOptions, 'topics' | 'tasks'>): TestMember {
    const member = new TestMember(this.log, { group, ...options })
    this.open.push(() => member.group.leave())
    return member
  }

  /** Everything in a partition from an offset on, as a committed reader sees it now. */
  async read(topic: string, { partition = 0, from = 0, ...options }: ReadOptions = {}): Promise<Seen[]> {
    const reader = this.log.reader(options)
    const seen: Seen[] = []
    try {
      for (let offset = from; ; ) {
        const [fetched] = await reader.fetch([{ topic, partition, offset }], { ...ROOMY, maxWaitMs: 100 })
        if (fetched === undefined) continue
        const { batches, next, end, corrupt } = fetched
        if (corrupt !== undefined) throw corrupt.error
        for (const batch of batches)
          for (let i = 0; i < batch.count; i++) {
            const [key, value] = [text(batch.buffer, batch.keyStart[i], batch.keyEnd[i]), textOfValue(batch, i)]
            if (batch.offsets[i] >= from) seen.push({ offset: batch.offsets[i], key, value })
          }
        if (next >= end) return seen
        expect(next, 'a fetch that leaves more to read must move on').toBeGreaterThan(offset)
        offset = next
      }
    } finally {
      await reader.close()
    }
  }

  /** Waits until a committed reader sees exactly these values. */
  async sees(topic: string, values: readonly (string | null)[], options?: ReadOptions): Promise<void> {
    await eventually(async () => expect((await this.read(topic, options)).map((r) => r.value)).toEqual(values))
  }
}

export interface ReadOptions extends ReaderOptions {
  readonly partition?: number
  readonly from?: number
}

function text(buffer: Buffer, start: number, end: number): string | null {
  return start < 0 ? null : buffer.toString('utf8', start, end)
}

function textOfValue(batch: { buffer: Buffer; valueStart: Int32Array; valueEnd: Int32Array }, i: number) {
  return text(batch.buffer, batch.valueStart[i], batch.valueEnd[i])
}

export type PlainRecord = readonly [
  key: string | Uint8Array | null,
  value: string | Uint8Array | null,
  timestamp?: number,
  headers?: readonly Header[],
]

/** One batch of these records. */
export function batchOf(...records: readonly PlainRecord[]): Buffer {
  const writer = new BatchWriter()
  const bytes = (part: string | Uint8Array | null) => (typeof part === 'string' ? Buffer.from(part) : part)
  for (const [key, value, timestamp = Date.now(), headers = []] of records)
    writer.append(timestamp, bytes(key), bytes(value), headers)
  return writer.finish()
}

/** One batch of records without keys. */
export function valuesOf(...values: readonly string[]): Buffer {
  return batchOf(...values.map((value) => [null, value] as const))
}

/** Tries until it does not throw: a cluster shows things a moment later. */
export async function eventually<T>(attempt: () => Promise<T> | T, withinMs = 15_000): Promise<T> {
  const deadline = Date.now() + withinMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/** Expects a rejection with this code. */
export async function refused(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'MillraceError', code })
}

/** One member of a group and what it was told, in order. */
export class TestMember {
  readonly name: string
  readonly group: LogGroup
  assignment: Assignment | undefined
  owned = new Set<string>()
  readonly events: string[] = []
  readonly errors: Error[] = []
  /** Called in `onRevoked`, before the loss is acknowledged. */
  beforeRevoked: (tasks: readonly string[], stamp: Stamp) => Promise<void> = async () => {}

  constructor(log: Log, options: Pick<GroupOptions, 'group' | 'topics' | 'tasks'> & Partial<GroupOptions>) {
    this.name = options.group
    this.group = log.group({
      sessionTimeoutMs: 6000,
      rebalanceTimeoutMs: 10_000,
      heartbeatIntervalMs: 100,
      onRebalancing: async () => {
        this.events.push('rebalancing')
      },
      onAssigned: async (assignment) => {
        this.assignment = assignment
        this.owned = new Set(assignment.active)
        this.events.push('assigned')
      },
      onRevoked: async (tasks, stamp) => {
        await this.beforeRevoked(tasks, stamp)
        for (const task of tasks) this.owned.delete(task)
        this.events.push('revoked')
      },
      onLost: async (tasks) => {
        for (const task of tasks) this.owned.delete(task)
        this.events.push('lost')
      },
      onError: (error) => this.errors.push(error),
      ...options,
    })
  }

  /** The stamp of the newest assignment, once it holds so many tasks. */
  async holding(tasks: number) {
    return eventually(() => {
      expect(this.errors).toEqual([])
      expect(this.owned.size).toBe(tasks)
      return this.assignment!.stamp
    })
  }
}
