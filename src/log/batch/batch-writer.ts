import { crc32c } from '@node-rs/crc32'
import { MillraceError } from '../../errors.ts'
import type { Headers } from '../../record.ts'
import { type ByteWriter, copyBytes } from '../../serde/bytes.ts'
import {
  ATTRIBUTES,
  BASE_SEQUENCE,
  BASE_TIMESTAMP,
  COUNT,
  CRC,
  LAST_OFFSET_DELTA,
  LEADER_EPOCH,
  LENGTH,
  MAGIC,
  MAX_TIMESTAMP,
  PREFIX,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  RECORDS,
  TRANSACTIONAL_BIT,
} from './layout.ts'
import { longSize, putVarint, putVarlong, varintSize, zigzag, zigzagLong } from './varint.ts'

const NO_HEADERS: Headers = []

/**
 * Gathers the records of one partition into one record batch (magic 2, uncompressed), in a buffer that is reused.
 * It never refuses for size: watch `size` and `finish` in time.
 *
 * @example
 * ```ts
 * const writer = new BatchWriter()
 * writer.append(Date.now(), Buffer.from('key'), Buffer.from('value'))
 * await producer.send('orders', 0, writer.finish())
 * ```
 */
export class BatchWriter {
  /** Records so far. */
  count = 0
  /** Time of the first record; 0 while there is none. */
  firstTimestamp = 0
  maxTimestamp = 0
  private buffer: Buffer
  private view: DataView
  private position = RECORDS
  // As they were before the last record.
  private positionBefore = RECORDS
  private maxTimestampBefore = 0

  constructor(capacity = 16_384) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(capacity, RECORDS))
    this.view = new DataView(this.buffer.buffer)
  }

  /** Bytes of the batch if it were finished now. */
  get size(): number {
    return this.position
  }

  /** Appends a record. Throws `UNENCODABLE_RECORD` when the timestamp is not a whole number. */
  append(timestamp: number, key: Uint8Array | null, value: Uint8Array | null, headers: Headers = NO_HEADERS): void {
    this.write(
      timestamp,
      key === null ? null : viewOf(key),
      key === null ? -1 : key.length,
      value === null ? null : viewOf(value),
      value === null ? -1 : value.length,
      headers,
    )
  }

  /** Appends a record whose key and value are what two writers hold; the hot form of {@link append}. */
  appendFrom(timestamp: number, key: ByteWriter | null, value: ByteWriter | null, headers: Headers = NO_HEADERS): void {
    this.write(
      timestamp,
      key === null ? null : key.view,
      key === null ? -1 : key.position,
      value === null ? null : value.view,
      value === null ? -1 : value.position,
      headers,
    )
  }

  /**
   * Ends the batch: a copy that the caller owns, with offset 0 and no producer identity (the log stamps it), and the
   * writer is empty again. A batch without records may be finished too, but no log takes it.
   */
  finish(): Buffer {
    const { view, position } = this
    view.setBigInt64(0, 0n)
    view.setInt32(LENGTH, position - PREFIX)
    view.setInt32(LEADER_EPOCH, -1)
    view.setInt8(MAGIC, 2)
    view.setInt16(ATTRIBUTES, 0)
    view.setInt32(LAST_OFFSET_DELTA, this.count - 1)
    view.setBigInt64(BASE_TIMESTAMP, BigInt(this.firstTimestamp))
    view.setBigInt64(MAX_TIMESTAMP, BigInt(this.maxTimestamp))
    view.setBigInt64(PRODUCER_ID, -1n)
    view.setInt16(PRODUCER_EPOCH, -1)
    view.setInt32(BASE_SEQUENCE, -1)
    view.setInt32(COUNT, this.count)
    view.setUint32(CRC, crc32c(this.buffer.subarray(ATTRIBUTES, position)))
    const batch = Buffer.allocUnsafeSlow(position)
    this.buffer.copy(batch, 0, 0, position)
    this.reset()
    return batch
  }

  /** Takes the last record out again. Once: another `undo` needs another record. */
  undo(): void {
    if (this.count === 0) return
    this.count--
    this.position = this.positionBefore
    this.maxTimestamp = this.maxTimestampBefore
    if (this.count === 0) this.reset()
  }

  /** Forgets the records. */
  reset(): this {
    this.count = this.firstTimestamp = this.maxTimestamp = 0
    this.position = RECORDS
    return this
  }

  private write(
    timestamp: number,
    key: DataView | null,
    keyLength: number,
    value: DataView | null,
    valueLength: number,
    headers: Headers,
  ): void {
    if (!Number.isSafeInteger(timestamp))
      throw new MillraceError('UNENCODABLE_RECORD', `the timestamp ${timestamp} is not a whole number of milliseconds`)
    this.positionBefore = this.position
    this.maxTimestampBefore = this.maxTimestamp
    if (this.count === 0) this.firstTimestamp = this.maxTimestamp = timestamp
    else if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp
    const delta = timestamp - this.firstTimestamp
    const short = delta < 0x40000000 && delta >= -0x40000000
    const time = short ? zigzag(delta) : 0
    const long = short ? 0n : zigzagLong(BigInt(timestamp) - BigInt(this.firstTimestamp))
    const offset = zigzag(this.count)
    const keyMark = zigzag(keyLength)
    const valueMark = zigzag(valueLength)
    const encoded = headers.length === 0 ? NO_NAMES : headers.map(([name]) => Buffer.from(name))

    const length =
      1 +
      (short ? varintSize(time) : longSize(long)) +
      varintSize(offset) +
      varintSize(keyMark) +
      (key === null ? 0 : keyLength) +
      varintSize(valueMark) +
      (value === null ? 0 : valueLength) +
      (headers.length === 0 ? 1 : headersSize(headers, encoded))
    this.ensure(length + 5)
    const { buffer, view } = this
    let p = putVarint(buffer, this.position, zigzag(length))
    buffer[p++] = 0
    p = short ? putVarint(buffer, p, time) : putVarlong(buffer, p, long)
    p = putVarint(buffer, p, offset)
    p = putVarint(buffer, p, keyMark)
    if (key !== null) {
      copyBytes(key, 0, view, p, keyLength)
      p += keyLength
    }
    p = putVarint(buffer, p, valueMark)
    if (value !== null) {
      copyBytes(value, 0, view, p, valueLength)
      p += valueLength
    }
    if (headers.length === 0) buffer[p++] = 0
    else p = putHeaders(buffer, p, headers, encoded)
    this.position = p
    this.count++
  }

  private ensure(n: number): void {
    const need = this.position + n
    if (need <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.position)
    this.buffer = grown
    this.view = new DataView(grown.buffer)
  }
}

const NO_NAMES: readonly Uint8Array[] = []

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => new DataView(buffer, byteOffset, byteLength)

function putBytes(buffer: Buffer, p: number, bytes: Uint8Array): number {
  buffer.set(bytes, p)
  return p + bytes.length
}

function putHeaders(buffer: Buffer, p: number, headers: Headers, names: readonly Uint8Array[]): number {
  p = putVarint(buffer, p, zigzag(headers.length))
  for (let i = 0; i < headers.length; i++) {
    const name = names[i]
    const value = headers[i][1]
    p = putVarint(buffer, p, zigzag(name.length))
    p = putBytes(buffer, p, name)
    p = putVarint(buffer, p, zigzag(value === null ? -1 : value.length))
    if (value !== null) p = putBytes(buffer, p, value)
  }
  return p
}

function headersSize(headers: Headers, names: readonly Uint8Array[]): number {
  let size = varintSize(zigzag(headers.length))
  for (let i = 0; i < headers.length; i++) {
    const value = headers[i][1]
    const valueLength = value === null ? -1 : value.length
    size += varintSize(zigzag(names[i].length)) + names[i].length
    size += varintSize(zigzag(valueLength)) + (value === null ? 0 : valueLength)
  }
  return size
}

/** Who wrote a batch, for the log's own bookkeeping. */
export interface BatchStamp {
  readonly producerId: number
  readonly epoch: number
  /** Number of the batch's first record within producer, epoch and partition; wraps at 2^31. */
  readonly sequence: number
  readonly transactional: boolean
  /** Where the batch is in its partition; left as it is when absent (a broker fills it in). */
  readonly baseOffset?: number
}

/** Writes identity and sequence into a finished batch, in place, and its CRC anew. */
export function stampBatch(batch: Buffer, stamp: BatchStamp): void {
  if (stamp.baseOffset !== undefined) batch.writeBigInt64BE(BigInt(stamp.baseOffset), 0)
  const attributes = batch.readInt16BE(ATTRIBUTES)
  batch.writeInt16BE(stamp.transactional ? attributes | TRANSACTIONAL_BIT : attributes & ~TRANSACTIONAL_BIT, ATTRIBUTES)
  batch.writeBigInt64BE(BigInt(stamp.producerId), PRODUCER_ID)
  batch.writeInt16BE(stamp.epoch, PRODUCER_EPOCH)
  batch.writeInt32BE(stamp.sequence, BASE_SEQUENCE)
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES)), CRC)
}
