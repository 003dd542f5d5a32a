import type { Headers, RecordOrigin } from '../record.ts'
import type { ByteWriter } from '../serde/bytes.ts'
import type { RecordPart, Serde, WriteCodec, WriteSerde } from '../serde/serde.ts'
import type { SinkDefinition } from '../sinks/sink.ts'
import type { StoreSpec } from './store-spec.ts'

/**
 * How operators hand a record on: a plain call, composed once per task, nothing allocated. `old` is the value that a
 * table update replaces, where somebody downstream asked for it (`wantsOld`); streams leave it undefined.
 */
// biome-ignore lint/suspicious/noExplicitAny: the graph is typed where users build it; inside, calls are untyped on purpose
export type Forward<K = any, V = any> = (key: K, value: V, timestamp: number, old?: V | null) => void

/** Why a record, or a record for one window, was left out. Each is a label of `millrace_records_dropped_total`. */
export type DropReason =
  | 'late'
  | 'null-key'
  | 'null-value'
  | 'expired'
  | 'skipped'
  | 'stale'
  | 'duplicate'
  | 'throttled'

/** One operator at work in one task. */
export interface Processor {
  /** One per input of the node, in their order. */
  readonly inputs: readonly Forward[]
  /** State and stream time are as the last commit left them; called once, before the first record. */
  restored?(): void
  /** At a commit, in topological order: forwards what was held back until now. */
  flush?(): void
  /** Between records, in topological order: forwards what no record can change any more, and lets go of it. */
  release?(): void
  /** Time moved on without a record (a marker of an upstream task): gives out what is due. */
  advance?(): void
  /** Wall-clock time has passed; called a few times a second at most. */
  tick?(now: number): void
  /** It makes calls to the outside, whose answers come later. */
  readonly outside?: OutsideWork
}

/** Calls of one operator that are under way. The task takes records while there is room, and commits when none is. */
export interface OutsideWork {
  /** How many more records it can take. */
  readonly room: number
  /** Records whose results have not been handed on. */
  readonly inFlight: number
  /** Hands on what has come back. */
  settle(): void
  /** Resolves when something comes back, or when it is closed. */
  next(): Promise<void>
  /** The task is dropped: calls are aborted, and nothing is handed on any more. */
  close(): void
}

export type ProcessorFactory = (context: ProcessorContext) => Processor

/** The record that a task is working on. One object per task, changed in place. */
export interface CurrentRecord extends RecordOrigin {
  /** Which upstream task it came through; 0 where the input is a user's topic. See `StreamTime`. */
  readonly lane: number
  readonly headers: Headers
}

/**
 * Stream time of one operator: the highest timestamp it has looked at. Behind a repartition every upstream task is a
 * lane with a time of its own, because upstream tasks progress at different speeds: a record is late by the time of its
 * own lane, and windows close by the slowest lane. With one lane both are Kafka Streams' stream time.
 */
export interface StreamTime {
  /** How many lanes reach the operator. */
  readonly lanes: number
  /** The time by which windows close: the lowest of all lanes; -1 until every lane has been heard. */
  readonly closing: number
  /** The lane that `closing` is the time of: what comes of time itself belongs to it. */
  readonly slowest: number
  /** The time of the current record's lane after seeing this timestamp. */
  observe(timestamp: number): number
}

/** What an operator may ask of the task it runs in; it knows nothing else of the runtime. */
export interface ProcessorContext {
  readonly node: string
  readonly record: CurrentRecord
  /** 'update': every change is forwarded at once. 'commit': changes are held back and each key goes out once a commit. */
  readonly emit: 'update' | 'commit'
  /** Somebody downstream needs the value that an update replaces. */
  readonly wantsOld: boolean
  /** The next operators behind an output of this node, as one call. */
  forward(output?: string): Forward
  /** Somebody reads this output. */
  listens(output: string): boolean
  store<S>(spec: StoreSpec<S>): S
  /** Checkpointed with every commit. An operator with several clocks names them; one may be of a single input. */
  streamTime(name?: string, input?: number): StreamTime
  drop(reason: DropReason, count?: number): void
  /** Wall-clock time, in ms since the epoch. Results that depend on it are not repeated by a replay. */
  now(): number
  /** Resolves after `ms` of wall-clock time, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** The record in work in a form that outlives its turn, for `as` and `fail`. */
  keep(): CurrentRecord
  /** A kept record cannot be processed: by policy throws, writes a dead letter, or counts. */
  fail(record: CurrentRecord, error: unknown): void
  /** Something has come back from outside: the task has work to do. */
  wake(): void
  /** Does `work` in the name of another record: what it forwards has that record's origin, lane and headers. */
  as(record: CurrentRecord, work: () => void): void
  codec<T>(serde: WriteSerde<T>, part: RecordPart, topic?: string): WriteCodec<T>
  /** Values come here as they were read, in bytes that the topic it writes may have as they are. See `TopicOutput.pass`. */
  readonly asRead: boolean
  /** Writes to a topic of the log. */
  topic(topic: string): TopicOutput
  sink<K, V>(sink: SinkDefinition<K, V>, serdes: { key?: Serde<K>; value?: Serde<V> }): Forward<K, V | null>
}

/** Where encoded records go; batched, partitioned and sent by the task. */
export interface TopicOutput {
  readonly partitions: number
  /** Kafka's default partitioner over the first `length` bytes of a key. */
  partitionOf(key: ByteWriter, length: number): number
  send(partition: number, key: ByteWriter | null, value: ByteWriter | null, timestamp: number, headers?: Headers): void
  /** Writes a value that is still to be encoded, straight into its batch, with the headers of the record in work. */
  encode<V>(partition: number, key: ByteWriter | null, codec: WriteCodec<V>, value: V, timestamp: number): void
  /** Writes the bytes that the value of the record in work was read from, with its headers. */
  pass(partition: number, key: ByteWriter | null, timestamp: number): void
}
