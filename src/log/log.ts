import type { RecordBatch } from './batch/record-batch.ts'

/**
 * The log: the partitioned, replayable, transactional thing that records come from and go to. This is the whole port;
 * adapters are `kafka(…)`, `embedded(…)` and the in-memory log of the tests, and each passes the one contract suite.
 *
 * Every method throws a retriable `UNAVAILABLE` while the log cannot be reached (after its own short retries), and the
 * codes named below otherwise. Offsets are plain numbers (53 bits).
 */
export interface Log {
  /** 'kafka', 'embedded', 'memory'. */
  readonly kind: string
  /** Throws `UNAVAILABLE`, `AUTHENTICATION_FAILED`, `DATA_DIRECTORY`. Must be called first, once. */
  connect(): Promise<void>
  close(): Promise<void>
  readonly admin: LogAdmin
  /** A reader with connections of its own; any number may be open. */
  reader(options?: ReaderOptions): LogReader
  producer(options?: ProducerOptions): LogProducer
  /** Membership in the group of an application, and its committed offsets. */
  group(options: GroupOptions): LogGroup
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface Position extends TopicPartition {
  readonly offset: number
}

export interface NewTopic {
  readonly topic: string
  readonly partitions: number
  /** Default 1 on a single broker, otherwise the broker's default. */
  readonly replicationFactor?: number
  /** Kafka topic configuration, such as `{ 'cleanup.policy': 'compact' }`. The embedded log heeds the same names. */
  readonly config?: Readonly<Record<string, string>>
}

export interface LogAdmin {
  /** Partition counts of those of the named topics that exist. */
  partitions(topics: readonly string[]): Promise<Map<string, number>>
  /** Creates topics; one that exists already is left as it is. Throws `NOT_AUTHORIZED`, `INVALID_OPTION`. */
  create(topics: readonly NewTopic[]): Promise<void>
  delete(topics: readonly string[]): Promise<void>
  /** First offset that is still there, in the order of the question. Throws `MISSING_TOPIC`. */
  startOffsets(partitions: readonly TopicPartition[]): Promise<Position[]>
  /**
   * Offset after the last record that a committed reader can see (the last stable offset), or with 'uncommitted' after
   * the last record at all; in the order of the question. Throws `MISSING_TOPIC`.
   */
  endOffsets(partitions: readonly TopicPartition[], isolation?: Isolation): Promise<Position[]>
  /**
   * Bytes of the largest batch that each topic takes, as it is configured now. Topics that do not exist are left out, and
   * those of which the log does not tell this user.
   */
  largestBatches(topics: readonly string[]): Promise<Map<string, number>>
  /** Forgets all records before the given offsets: repartition topics are trimmed behind their readers. */
  trim(positions: readonly Position[]): Promise<void>
}

export interface ReaderOptions {
  /** 'committed' (default) leaves out records of open and aborted transactions. */
  readonly isolation?: Isolation
}

export type Isolation = 'committed' | 'uncommitted'

export interface FetchOptions {
  /** Upper bound of the bytes of one answer, and of one partition in it. At least one batch comes, however large. */
  readonly maxBytes: number
  readonly maxBytesPerPartition: number
  /** How long to wait for data when there is none, in ms. Aborting `signal` ends the wait early with what there is. */
  readonly maxWaitMs: number
  readonly signal?: AbortSignal
}

/** What one fetch brought from one partition. */
export interface Fetched extends TopicPartition {
  /** Whole batches, control and aborted ones left out; the first may begin before the offset that was asked for. */
  readonly batches: readonly RecordBatch[]
  /** Where the next fetch must start: past everything read, aborted records and holes included. */
  readonly next: number
  /** The last stable offset: `next < end` means there is more to read now. */
  readonly end: number
  /**
   * A batch at `next` that cannot be read (bad CRC, unknown magic or compression, truncated for good): the caller
   * decides. `skipTo` is the offset after it.
   */
  readonly corrupt?: { readonly error: Error; readonly skipTo: number; readonly bytes: Uint8Array }
}

export interface LogReader {
  /**
   * Reads several partitions at once; those that have nothing may be left out of the answer, whose order is free. A position out of range throws `OFFSET_OUT_OF_RANGE` with topic, partition and
   * offset; a missing topic `MISSING_TOPIC`. The buffers belong to the caller from then on.
   */
  fetch(positions: readonly Position[], options: FetchOptions): Promise<Fetched[]>
  close(): Promise<void>
}

export interface ProducerOptions {
  /** Set for exactly once: `begin` … `commit` are then atomic, and a newer producer of the same id fences this one. */
  readonly transactionalId?: string
  /** How long the log keeps a transaction open whose producer is silent. Default 30,000 ms. */
  readonly transactionTimeoutMs?: number
}

/**
 * Writes record batches. Batches of one partition are written in the order of the calls, without gaps or doubles within
 * the life of the producer. Throws `FENCED` when another producer has taken the transactional id or the transaction has
 * expired: nothing written since `begin` will ever be visible; discard the producer.
 */
export interface LogProducer {
  /** Gets the producer's identity, ends any transaction left open under it, and fences older producers. */
  init(): Promise<void>
  /** Starts a transaction. Only with a transactional id; otherwise batches are visible as they are acknowledged. */
  begin(): void
  /**
   * Appends one encoded batch (from a BatchWriter; identity, sequence and CRC are filled in here) and resolves when it
   * is acknowledged by all replicas. Do not await each call: start many, await them together. The bytes must not change
   * until then, and are the caller's again from then on, also before a `commit`. Throws `MISSING_TOPIC`, `RECORD_TOO_LARGE`, `NOT_AUTHORIZED`.
   */
  send(topic: string, partition: number, batch: Buffer): Promise<{ readonly offset: number }>
  /** Adds the group's offsets to the transaction. `FENCED` when the stamp is no longer valid. */
  sendOffsets(offsets: readonly CommittedOffset[], stamp: Stamp): Promise<void>
  commit(): Promise<void>
  /** Ends the transaction so that nothing of it is seen. Never throws for a transaction that is already gone. */
  abort(): Promise<void>
  /** Aborts the transaction that is open, if the log can be told at once; if not, it expires. */
  close(): Promise<void>
}

export interface CommittedOffset extends Position {
  /** Travels with the offset (at most 4,096 bytes on a default broker). */
  readonly metadata?: string
}

/** Proof of membership that travels with commits, so that a member which has been replaced cannot commit. */
export interface Stamp {
  readonly group: string
  readonly memberId: string
  readonly instanceId?: string
  readonly epoch: number
}

/** What one member is to run. Task ids as in the plan: 'subtopology_partition'. */
export interface Assignment {
  readonly active: readonly string[]
  /** Tasks whose state is kept here as well, by following their changelogs: another instance runs them. None is in `active`. */
  readonly standby: readonly string[]
  /** As standbys, of tasks that are to run here as soon as this member has caught up (KIP-441). Default: none. */
  readonly warmup?: readonly string[]
  readonly stamp: Stamp
  /** Tasks are on their way from one member to another, perhaps to this one: the next assignment follows at once. */
  readonly isMoving?: boolean
  /** Copies that were asked for and that the group has too few members for; undefined when the log does not say. */
  readonly missingStandbys?: number
}

/** How far a member has the state of a task: sums over its changelogs, as Kafka Streams and its brokers count (KIP-441). */
export interface TaskProgress {
  readonly task: string
  /** Offsets up to which the changelogs are in the member's stores. */
  readonly offset: number
  /** Ends of the changelogs, as far as the member knows: `end - offset` is its lag, and `end` about the size of the state. */
  readonly end: number
}

/** How state is spread; where the log's own coordinator does that (KIP-1071) the settings are the group's, over there. */
export interface StandbyOptions {
  /** On how many members, beside the one that runs a task, its state is kept. Default 0. */
  readonly standbys?: number
  /** How many tasks of the group may be warmed up at once. Default 2. */
  readonly maxWarmups?: number
  /** A member has caught up when it lags by no more than this, in offsets of the task's changelogs. Default 10,000. */
  readonly acceptableLag?: number
}

/** What the tasks of one subtopology read and keep: a broker that spreads the tasks by itself must know it. */
export interface GroupSubtopology {
  /** As in the ids of its tasks. */
  readonly id: string
  /** The user's topics that it reads. */
  readonly sources: readonly string[]
  /** The repartition topics that it reads. */
  readonly repartitions: readonly NewTopic[]
  readonly changelogs: readonly NewTopic[]
  /** Names of the repartition topics that it writes to. */
  readonly writes: readonly string[]
  /** Topics that it reads whose partitions correspond one to one; no topic is in two groups. */
  readonly copartitioned: readonly (readonly string[])[]
}

export interface GroupOptions extends StandbyOptions {
  readonly group: string
  /** Source topics, so that the log's own tools show what the group reads. */
  readonly topics: readonly string[]
  /** All tasks of the topology; the group's leader spreads them over the members. */
  readonly tasks: readonly string[]
  /** Those of them that have a state to restore: only they have standbys and warm-ups. Default: none. */
  readonly stateful?: readonly string[]
  /** How far this member has the state of tasks, active ones and standbys: asked for whenever the group is told. */
  progress?(): readonly TaskProgress[]
  /**
   * One for all members that live and die together: a standby never goes to the process that runs its task. Default: each
   * member has its own.
   */
  readonly processId?: string
  /** What the tasks are made of. Default: every subtopology reads all of `topics`. */
  readonly subtopologies?: readonly GroupSubtopology[]
  /** What a task reads, so that the log's own tools show which member has which partition. */
  reads?(task: string): readonly TopicPartition[]
  /** Fixed identity of this instance: a restart within the session timeout gets its tasks back without a rebalance. */
  readonly instanceId?: string
  /** Default 45,000 / 60,000 / 3,000 ms. Tests on one machine use less. */
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
  /**
   * Members come or go. The tasks run on, but from when this resolves until the next of the other callbacks the stamp may
   * be refused: what commits must wait for the new one. Awaited, so that a commit under way can end first.
   */
  onRebalancing?(): Promise<void>
  /**
   * These tasks, and only these, go to others: commit and stop them. Awaited before the loss is acknowledged to the group,
   * and nobody has them before that; the stamp is the one to commit with. Not called at `leave`: whoever leaves has committed.
   */
  onRevoked(tasks: readonly string[], stamp: Stamp): Promise<void>
  /**
   * The tasks to run from now on: all of them, not a difference, and in every generation, also when nothing changed.
   * Those that run already go on, with the new stamp. Awaited: while it takes its time (to restore, say) the member cannot
   * take part in a rebalance.
   */
  onAssigned(assignment: Assignment): Promise<void>
  /** Membership was lost (fenced or expired): drop all tasks without committing. A rejoin follows. */
  onLost(tasks: readonly string[]): Promise<void>
  /** Membership cannot go on (not authorised, inconsistent protocol …). */
  onError(error: Error): void
  /** Membership goes on, and somebody should know this. */
  onWarning?(message: string): void
}

export interface LogGroup {
  /** Joins; from then on the callbacks are called, one at a time. Waits out an unreachable log with backoff. */
  join(): Promise<void>
  /** Leaves for good: no callback is called any more, and whoever wants back in makes another `group`. */
  leave(): Promise<void>
  /** A warm-up has caught up: the group is to look again at who runs it (the probing rebalance of KIP-441). */
  reconsider(): void
  /**
   * The committed offsets of those partitions that have one; waits for transactions that are still being decided
   * (KIP-447 requireStable).
   */
  committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]>
  /** Commits outside a transaction. `FENCED` when the stamp is no longer valid. */
  commit(offsets: readonly CommittedOffset[], stamp: Stamp): Promise<void>
}
