import type { BatchBuffers } from '../../log/batch/batch-buffers.ts'
import type { RecordBatch } from '../../log/batch/record-batch.ts'
import type { Fetched } from '../../log/log.ts'
import type { SinkBatch, SinkDefinition } from '../../sinks/sink.ts'
import type { Compiled, TaskEnvironment } from './compile.ts'
import type { TaskCounters } from './counters.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { Input } from './input.ts'
import type { OutgoingBatch } from './outbox.ts'
import type { TaskStore, TaskStores } from './stores.ts'

/** What is done with a record that cannot be processed. */
export type RecordPolicy = 'fail' | 'dead-letter' | 'skip'

export interface TaskPolicies {
  /** A record that cannot be decoded. */
  readonly undecodable: RecordPolicy
  /** A user's function that throws. (A `RejectedRecord` always goes to the dead letters.) */
  readonly failing: RecordPolicy
  /** A result that its topic does not take. */
  readonly refused: RecordPolicy
}

/** Rows for one sink. */
export interface SinkOutput {
  readonly node: string
  readonly sink: SinkDefinition<never, never>
  readonly batch: SinkBatch<unknown, unknown>
}

/** What a commit makes durable for one task. */
export interface TaskOutput {
  readonly batches: readonly OutgoingBatch[]
  readonly sinks: readonly SinkOutput[]
  /** Next offset to read, by topic. */
  readonly positions: ReadonlyMap<string, number>
  /** Stream time per operator, one number per lane. */
  readonly times: Readonly<Record<string, number[]>>
}

/**
 * One subtopology for one partition: the unit of state, of parallelism and of failure. Synchronous and without I/O:
 * batches are put in, `process` works on them, `flush` gives what must become durable. The runtime and the topology
 * driver both drive it.
 */
export interface Task {
  /** 'subtopology_partition'. */
  readonly id: string
  readonly partition: number
  readonly inputs: readonly Input[]
  readonly stores: readonly TaskStore[]
  readonly sinks: Compiled['sinks']
  readonly codecs: Compiled['codecs']
  readonly counters: TaskCounters
  /** Bytes of output waiting for the next flush. */
  readonly pendingBytes: number
  /** Set while a schema must be loaded before the next record: await it, then `process` again. */
  readonly blocked: (() => Promise<void>) | undefined
  /** The schema it was blocked for cannot be had: the record is handled as undecodable. */
  unresolved(error: Error): void
  /** Puts fetched batches of one of its topics in. */
  add(topic: string, batches: readonly RecordBatch[], next: number, end: number): void
  /** A span of a topic that cannot be read: handled like a record that cannot be decoded. */
  addCorrupt(topic: string, corrupt: NonNullable<Fetched['corrupt']>): void
  /** Sets where a topic is read from. A planned range that this leaves is given up: returns where it ended. */
  seek(topic: string, offset: number): number | undefined
  /** Processes nothing from these offsets on, until `flush`: a planned range is replayed as it was planned. */
  limit(offsets: Readonly<Record<string, number>>): void
  /** A limit is set, and everything before it has been processed: only a `flush` goes on. */
  readonly atLimit: boolean
  /** A limit is set. */
  readonly limited: boolean
  /** After the stores have been restored: loads stream time and starts the operators. */
  start(times: Readonly<Record<string, readonly number[]>>): void
  /**
   * Processes up to `limit` records, lowest head timestamp first, and returns how many. Stops early when blocked, or
   * when an input that is known to lag has nothing at hand (unless `eager`).
   */
  process(limit: number, eager?: boolean): number
  /** Wall-clock time has passed. */
  tick(now: number): void
  /** What has been written so far, ahead of the commit it belongs to. */
  drain(): OutgoingBatch[]
  /** Records whose calls to the outside (`mapAsync`) are under way, or whose results wait for their turn. */
  readonly inFlight: number
  /** Resolves when one of them comes back; `process` then hands it on. */
  nextAnswer(): Promise<void>
  /**
   * Brings a task with such calls to rest, so that it can be flushed: until then it processes nothing. Undefined where
   * there are none. Rejects as `process` throws, and with `FENCED` when it is closed meanwhile.
   */
  rest(): Promise<void> | undefined
  /** What there is to commit. */
  flush(): TaskOutput
  /** The task is dropped: its calls are aborted. */
  close(): void
  /** As `close`, but its stores go on: they must have been flushed. */
  release(): TaskStores
}

export interface TaskOptions extends TaskEnvironment {
  readonly policies: TaskPolicies
  /** Dead letters are written with the task's other output and commit with it; undefined: there is no such topic. */
  readonly deadLetterTopic: string | undefined
  /** Where batches are gathered, by several tasks; absent: it has its own. */
  readonly buffers?: BatchBuffers
  /** Bytes of the largest batch that a topic takes; absent: there is no bound. */
  largestBatch?(topic: string): number
  /** For logs. */
  readonly onDeadLetter?: (letter: DeadLetter) => void
  readonly onSkip?: (letter: DeadLetter) => void
}
