import type { MillraceError } from '../errors.ts'
import type { AvroSchema, Serde } from '../serde/serde.ts'

/**
 * A sink: an external system that results go to, exactly once in effect. `clickhouse(…)` and `lake(…)` make
 * definitions, which are pure data in the topology; the runtime opens them.
 *
 * `K` and `V` are contravariant on purpose: a sink of the wrong type does not compile.
 */
export interface SinkDefinition<in K, in V> {
  readonly kind: string
  /** Identity in metrics, logs and the plan: 'clickhouse:revenue_per_minute'. */
  readonly name: string
  /**
   * 'upsert': rows replace earlier rows of the same key when their version is not lower; a replay converges.
   * 'append': every row is kept; batches are replayed with the same range and must be recognised by it.
   */
  readonly mode: 'append' | 'upsert'
  /** For `describe`; no secrets. */
  readonly parameters: Readonly<Record<string, unknown>>
  open(context: SinkContext): Promise<Sink<K, V>>
}

export interface SinkContext {
  readonly application: string
  /**
   * Name of the sink's node in the plan, unique in the application. Tells two sinks apart that write to one place from
   * one source; without it they take each other's batches for replays of their own.
   */
  readonly node?: string
  /** Serdes of what arrives, where known: tables and files are made from their Avro schemas. */
  readonly key?: Serde<unknown>
  readonly value?: Serde<unknown>
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object) => void
  /** Called for every retry inside `write`, for the metrics. */
  readonly onRetry: (error: Error) => void
  /**
   * Where values are decoded by the schema they were written with: calls the listener with every schema that is new,
   * before the first value of it is written. Absent where the schema is fixed.
   */
  readonly onSchema?: (listener: (schema: AvroSchema) => void) => void
}

/** The span of the source log whose records the rows of a batch come from. Both ends included. */
export interface SourceRange {
  readonly topic: string
  readonly partition: number
  readonly firstOffset: number
  readonly lastOffset: number
}

/** Rows as columns, in the order in which the task produced them. */
export interface SinkBatch<K, V> {
  readonly range: SourceRange
  readonly keys: readonly K[]
  /** null is a tombstone: upsert sinks delete the key, append sinks skip it. */
  readonly values: readonly (V | null)[]
  /** Event time, ms. */
  readonly timestamps: readonly number[]
  /** Source offset of each row: the version of an upsert, the origin of an append. */
  readonly offsets: readonly number[]
}

/** A row that the external system refuses for what it is; the others of its batch have been written. */
export interface RefusedRow {
  readonly index: number
  readonly error: MillraceError
}

export interface Sink<in K, in V> {
  /**
   * Writes the whole batch and resolves when it is durable there. Called again with an equal batch after a crash or a
   * lost answer: the second call must change nothing. Rows that the system refuses one by one come back in the result.
   * Throws a retriable `UNAVAILABLE` when the system is away (the runtime waits and calls again with the same batch),
   * `SINK_REFUSED` when nothing of the batch can be written.
   */
  write(batch: SinkBatch<K, V>): Promise<readonly RefusedRow[]>
  close(): Promise<void>
}
