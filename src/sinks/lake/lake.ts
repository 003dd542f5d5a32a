import { MillraceError } from '../../errors.ts'
import type { AvroSchema } from '../../serde/serde.ts'
import { systemClock } from '../../time.ts'
import type { SinkDefinition } from '../sink.ts'
import type { ContainerCodec } from './container.ts'
import { fileSchema } from './file-schema.ts'
import { openStore } from './open-store.ts'
import { rowEncoder } from './row-encoder.ts'
import { lakeSink } from './sink.ts'
import { type LakeTarget, parseTarget } from './target.ts'

export interface LakeOptions<V> {
  /** A directory, `s3://bucket/prefix`, or `{ bucket, prefix, endpoint, … }`. */
  readonly to: LakeTarget
  /** Name in the path (`topic=…`). Default: the topic that the rows come from. */
  readonly topic?: string
  /**
   * Avro schema of the values. Default: that of the stream's value serde. Where that has none (JSON, strings), files
   * have the two texts `key` and `value`, the value as JSON.
   */
  readonly schema?: AvroSchema
  /** Compression of the files' blocks. Default 'deflate', done outside the main thread. */
  readonly codec?: ContainerCodec
  /**
   * The time, in ms since the epoch, by whose UTC hour a row is filed. Default: the record's timestamp. Must depend on
   * nothing but its arguments, or a replay files the row twice.
   */
  readonly partitionBy?: (value: V, timestamp: number) => number
  /**
   * Adds `_key`, `_timestamp`, `_partition` and `_offset` to every row, so that readers can trace a row and count it
   * once. Default true.
   */
  readonly includeMetadata?: boolean
  /** A batch goes into several files per hour above this many rows. Default 1,000,000. */
  readonly maxRowsPerFile?: number
  /** … or above this many uncompressed bytes. Default 256 MiB. */
  readonly maxBytesPerFile?: number
  /** Files written at the same time, per task. Default 4. */
  readonly uploads?: number
}

/**
 * A lake: every record of a stream as a row of an Avro container file, in a local directory or a bucket.
 *
 * Files are named `topic=orders/dt=2025-06-15/hour=07/<partition>-<first offset>-<last offset>.avro`, so that Spark,
 * DuckDB, ClickHouse and others see `topic`, `dt` and `hour` (UTC, of the record's timestamp) as columns. A batch that
 * is written again after a crash makes the same files of the same content, which are found there and left alone: every
 * record is in the lake exactly once. A file appears whole or not at all. Tombstones are left out.
 *
 * Change `to`, `topic`, `partitionBy` and the limits, and the schema, only after a clean stop: after a crash the last
 * batch must find its files again. A changed schema is noticed then (`SINK_REFUSED`, which says what to do); under
 * changed places, times or limits the batch's rows are written a second time.
 *
 * Each file carries its own schema, so files from before and after a schema change can be read together.
 *
 * Refuses a row that does not fit the schema (`UNENCODABLE_RECORD`) and writes the others. Throws `INVALID_OPTION` at
 * once; at the start `INVALID_SCHEMA`, `MISSING_DEPENDENCY` (a bucket needs the AWS SDK), `DATA_DIRECTORY`,
 * `AUTHENTICATION_FAILED`, `NOT_AUTHORIZED`, `SINK_REFUSED` (no such bucket); at any time the retriable `UNAVAILABLE`
 * and `DISK_FULL`.
 *
 * @example
 * ```ts
 * const raw = stream('orders', { key: string(), value: avro(Order) }).pipe(to(lake({ to: 's3://shop/raw' })))
 * const local = lake<string, Order>({ to: './data/lake', codec: 'null' })
 * ```
 */
export function lake<K = unknown, V = unknown>(options: LakeOptions<V>): SinkDefinition<K, V> {
  const target = parseTarget(options.to)
  const codec = options.codec ?? 'deflate'
  if (codec !== 'null' && codec !== 'deflate') {
    throw new MillraceError('INVALID_OPTION', `lake: unknown codec ${String(codec)}`, { hint: "'null' or 'deflate'" })
  }
  const includeMetadata = options.includeMetadata ?? true
  const maxRows = positive('maxRowsPerFile', options.maxRowsPerFile ?? 1_000_000)
  const maxBytes = positive('maxBytesPerFile', options.maxBytesPerFile ?? 256 * 1024 * 1024)
  const uploads = positive('uploads', options.uploads ?? 4)
  const { topic } = options
  if (topic === '') throw new MillraceError('INVALID_OPTION', 'lake: `topic` is empty')
  return {
    kind: 'lake',
    name: `lake:${target.location}${topic === undefined ? '' : `:${topic}`}`,
    mode: 'append',
    parameters: {
      to: target.location,
      topic,
      codec,
      includeMetadata,
      maxRowsPerFile: maxRows,
      maxBytesPerFile: maxBytes,
    },
    async open(context) {
      const schema = fileSchema(options.schema ?? context.value?.schema, includeMetadata)
      const encode = rowEncoder(schema)
      const timeOf = options.partitionBy
      const retries = { clock: systemClock, attempts: 4, firstDelay: 100, onRetry: context.onRetry }
      const store = await openStore(target, retries)
      try {
        await store.prepare()
      } catch (error) {
        store.close()
        throw error
      }
      return lakeSink<K, V>(
        store,
        { topic, schemaJson: schema.json, encode, codec, timeOf, maxRows, maxBytes },
        uploads,
      )
    },
  }
}

function positive(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw new MillraceError('INVALID_OPTION', `lake: ${name} is ${value}`, { hint: 'give a whole number above 0' })
}
