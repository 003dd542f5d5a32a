import type { Headers } from '../../record.ts'
import type { ByteSource } from '../../serde/bytes.ts'

/**
 * One record batch (Kafka's magic 2), laid open as columns over the buffer that it arrived in. Nothing is sliced and
 * no object is made per record: keys and values are spans [start, end) of `buffer`.
 */
export interface RecordBatch extends ByteSource {
  /** Records in the batch. */
  readonly count: number
  readonly firstOffset: number
  /** Offset of the last record; in a compacted batch there are holes between. */
  readonly lastOffset: number
  readonly offsets: Float64Array
  /** Event time in ms. */
  readonly timestamps: Float64Array
  /** -1: the record has no key. */
  readonly keyStart: Int32Array
  readonly keyEnd: Int32Array
  /** -1: the record has no value (a tombstone). */
  readonly valueStart: Int32Array
  readonly valueEnd: Int32Array
  readonly maxTimestamp: number
  /** Decodes the headers of record `i`; an empty array when it has none. */
  headers(i: number): Headers
}
