import type { ByteSource, ByteWriter } from './bytes.ts'

/** Which half of a record a codec works on. */
export type RecordPart = 'key' | 'value'

/** Where a serde is used; what it needs to become a codec. */
export interface SerdeContext {
  readonly topic: string
  readonly part: RecordPart
  /** Absent when the application was started without one; serdes that need it say so. */
  readonly registry?: SchemaRegistry
}

/**
 * How keys or values of type `T` are written to and read from bytes. A serde is a description, pure data; `open` makes
 * it work for one topic. It is never called with `null`: a null key or value has no bytes.
 */
export interface Serde<T> {
  /** Shown by `describe`: 'string', 'json', 'avro(Transaction)' … */
  readonly format: string
  /** Set by `nullable`: records whose key or value is null pass, as null; otherwise they are dropped and counted. */
  readonly nullable?: true
  /** Bytes at the end of a key that do not decide its partition: windowed keys go where their inner key goes. */
  readonly keySuffix?: number
  /**
   * The bytes of a value mean the same in every topic of the application. Values that no operator has replaced then cross a
   * repartition topic as the bytes that they were read from, without being encoded again. Set by `avro`, `json` and the serdes of
   * plain values; leave it out where the topic plays a part (a key of encryption for each, say).
   */
  readonly anyTopic?: true
  /** The Avro schema, where there is one: sinks make their tables and files from it. */
  readonly schema?: AvroSchema
  /** Where values may have more fields than `schema`: calls the listener with every schema, before its first value. */
  readonly onSchema?: (listener: (schema: AvroSchema) => void) => void
  open(context: SerdeContext): Codec<T>
}

/** A serde at work on one topic. Synchronous: it is called once per record. */
export interface Codec<T> {
  /** Appends the value. Throws `UNENCODABLE_RECORD`. */
  encode(value: T, out: ByteWriter): void
  /**
   * Reads the value in bytes [start, end). Throws `UNDECODABLE_RECORD` when the bytes are not a value, and
   * {@link PendingSchema} when a schema must be fetched first; the caller then awaits it and decodes again.
   */
  decode(source: ByteSource, start: number, end: number): T
  /**
   * What must be done before the first `encode` (look up or register a schema). The runtime awaits it, and retries
   * while it fails with a retriable error. With an in-memory registry it returns nothing at once.
   */
  prepare?(): Promise<void> | void
}

/**
 * The writing half of a serde. A serde of a wider type may write a narrower one, not the other way round; `Serde` itself
 * cannot say that.
 */
export interface WriteSerde<in T> extends Pick<Serde<unknown>, 'format' | 'nullable' | 'keySuffix' | 'schema'> {
  readonly open: (context: SerdeContext) => WriteCodec<T>
}

export interface WriteCodec<in T> {
  readonly encode: (value: T, out: ByteWriter) => void
  readonly prepare?: () => Promise<void> | void
}

/** Thrown by `decode`: the writer's schema is not known yet. Await `load()`, then decode the same bytes again. */
export class PendingSchema extends Error {
  readonly load: () => Promise<void>
  constructor(id: number, load: () => Promise<void>) {
    super(`schema ${id} is not loaded yet`)
    this.load = load
  }
}

/** An Avro schema as in a .avsc file. */
export type AvroSchema = string | { readonly [key: string]: unknown } | readonly AvroSchema[]

/** What is done when a schema to be written is not in the registry. */
export type RegisterMode = 'register' | 'use-latest' | 'refuse'

/**
 * A Confluent-compatible schema registry, as the serdes need it. Methods may answer at once (the in-memory one does,
 * which keeps the topology driver free of I/O) or with a promise. They throw `UNAVAILABLE` (retriable) when the
 * registry cannot be reached, `UNKNOWN_SCHEMA` when it has no such id or subject, `INCOMPATIBLE_SCHEMA` when it refuses.
 */
export interface SchemaRegistry {
  /** The schema with this id. */
  schema(id: number): AvroSchema | Promise<AvroSchema>
  /** The newest version of a subject. */
  latest(subject: string): RegisteredSchema | Promise<RegisteredSchema>
  /** The id of exactly this schema under the subject, or undefined if it is not registered there. */
  idOf(subject: string, schema: AvroSchema): number | undefined | Promise<number | undefined>
  /** Registers the schema and gives its id; the same schema gets the same id. */
  register(subject: string, schema: AvroSchema): number | Promise<number>
  /** Whether the registry would accept the schema as the subject's next version. */
  compatible(subject: string, schema: AvroSchema): boolean | Promise<boolean>
}

export interface RegisteredSchema {
  readonly id: number
  readonly schema: AvroSchema
}
