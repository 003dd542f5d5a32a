import { crc32c } from '@node-rs/crc32'
import { MillraceError } from '../../errors.ts'
import type { Headers } from '../../record.ts'
import { type Buffers, type ByteSource, ByteWriter, copyBytes } from '../../serde/bytes.ts'
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
import { putVarint, putVarlong, varintSize, zigzag, zigzagLong } from './varint.ts'

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
  private readonly out: ByteWriter
  private position = RECORDS
  // As they were before the last record.
  private positionBefore = RECORDS
  private maxTimestampBefore = 0
  // Of the record that was begun.
  private timestamp = 0
  private valueStart = 0
  /** Bytes that were set aside for the length of a record, and of its value: as many as the last one took. */
  private lengthRoom = 1
  private valueRoom = 1

  /** Bytes to begin with. */
  private capacity: number

  /** @param buffers - where `detach` has them from; whoever is given one may give it back there */
  constructor(capacity = 16_384, buffers?: Buffers) {
    this.capacity = Math.max(capacity, RECORDS)
    this.out = new ByteWriter(this.capacity, buffers)
  }

  /** Bytes of the batch if it were finished now. */
  get size(): number {
    return this.position
  }

  /** Appends a record. Throws `UNENCODABLE_RECORD` when the timestamp is not a whole number. */
  append(timestamp: number, key: Uint8Array | null, value: Uint8Array | null, headers: Headers = NO_HEADERS): void {
    const from = value && viewOf(value)
    this.write(timestamp, key && viewOf(key), key?.length ?? -1, from, 0, value?.length ?? -1, headers)
  }

  /** Appends a record whose key and value are what two writers hold; the hot form of {@link append}. */
  appendFrom(timestamp: number, key: ByteWriter | null, value: ByteWriter | null, headers: Headers = NO_HEADERS): void {
    const from = value === null ? null : value.view
    const length = value === null ? -1 : value.position
    this.write(timestamp, key === null ? null : key.view, key === null ? -1 : key.position, from, 0, length, headers)
  }

  /** Appends a record whose value is bytes [start, end) of a source. */
  appendSpan(
    timestamp: number,
    key: ByteWriter | null,
    { view }: Pick<ByteSource, 'view'>,
    start: number,
    end: number,
    headers: Headers = NO_HEADERS,
  ): void {
    const keyView = key === null ? null : key.view
    this.write(timestamp, keyView, key === null ? -1 : key.position, view, start, end - start, headers)
  }

  /**
   * Begins a record: what is then appended to the writer that it returns is its value, and {@link end} ends it. One that is
   * not ended is forgotten. Throws as {@link append}.
   */
  begin(timestamp: number, key: ByteWriter | null): ByteWriter {
    const { out } = this
    const keyLength = key === null ? -1 : key.position
    this.attach()
    out.position = this.position
    out.ensure(keyLength + MOST_AROUND)
    this.timestamp = timestamp
    const keyView = key === null ? null : key.view
    const p = this.head(this.position + this.lengthRoom, timestamp, keyView, keyLength)
    this.valueStart = out.position = p + this.valueRoom
    return out
  }

  /** Ends the record that was begun. */
  end(headers: Headers = NO_HEADERS): void {
    const { out, timestamp, valueStart } = this
    const length = out.position - valueStart
    const room = varintSize(zigzag(length))
    if (room !== this.valueRoom) this.move(valueStart, room - this.valueRoom)
    putVarint(out.buffer, valueStart - this.valueRoom, zigzag(length))
    this.valueRoom = room
    if (headers.length === 0) out.uint8(0)
    else {
      const names = namesOf(headers)
      out.ensure(headersSize(headers, names))
      out.position = putHeaders(out.buffer, out.position, headers, names)
    }
    const start = this.position + this.lengthRoom
    const whole = zigzag(out.position - start)
    const wholeRoom = varintSize(whole)
    if (wholeRoom !== this.lengthRoom) this.move(start, wholeRoom - this.lengthRoom)
    this.lengthRoom = wholeRoom
    putVarint(out.buffer, this.position, whole)
    this.ended(timestamp, out.position)
  }

  /**
   * Ends the batch: a copy that the caller owns, with offset 0 and no producer identity (the log stamps it), and the
   * writer is empty again. A batch without records may be finished too, but no log takes it.
   *
   * @param sealed - false: without its CRC, since whoever stamps it reckons that anew
   */
  finish(sealed = true): Buffer {
    const { position } = this
    this.writeHeader()
    const batch = Buffer.allocUnsafeSlow(position)
    this.out.buffer.copy(batch, 0, 0, position)
    this.reset()
    return sealed ? sealBatch(batch) : batch
  }

  /** As `finish`, without its CRC and without a copy: the batch is at the start of a buffer, which the writer gives away. */
  detach(): { readonly buffer: Buffer; readonly batch: Buffer } {
    this.writeHeader()
    const batch = this.out.buffer.subarray(0, this.position)
    const buffer = this.out.detach()
    // The next one will be about as large.
    this.capacity = this.position
    this.reset()
    return { buffer, batch }
  }

  private writeHeader(): void {
    const { view } = this.out
    const { position } = this
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
    valueStart: number,
    valueLength: number,
    headers: Headers,
  ): void {
    const { out } = this
    const names = headers.length === 0 ? NO_NAMES : namesOf(headers)
    const around = headers.length === 0 ? MOST_AROUND : MOST_AROUND + headersSize(headers, names)
    this.attach()
    out.position = this.position
    out.ensure(keyLength + valueLength + around)
    // The length comes first, and is known last; it nearly always takes as many bytes as that of the record before.
    const start = this.position + this.lengthRoom
    let p = this.head(start, timestamp, key, keyLength)
    const { buffer } = out
    p = putVarint(buffer, p, zigzag(valueLength))
    if (value !== null) {
      copyBytes(value, valueStart, out.view, p, valueLength)
      p += valueLength
    }
    if (headers.length === 0) buffer[p++] = 0
    else p = putHeaders(buffer, p, headers, names)
    out.position = p
    const length = zigzag(p - start)
    const room = varintSize(length)
    if (room !== this.lengthRoom) this.move(start, room - this.lengthRoom)
    this.lengthRoom = room
    putVarint(buffer, this.position, length)
    this.ended(timestamp, out.position)
  }

  /** Writes what comes before the value, without the length of either; there is room for it. Returns the place after it. */
  private head(at: number, timestamp: number, key: DataView | null, keyLength: number): number {
    if (!Number.isSafeInteger(timestamp))
      throw new MillraceError('UNENCODABLE_RECORD', `the timestamp ${timestamp} is not a whole number of milliseconds`)
    const { out } = this
    const { buffer } = out
    const first = this.count === 0 ? timestamp : this.firstTimestamp
    const delta = timestamp - first
    let p = at
    buffer[p++] = 0
    if (delta < 0x40000000 && delta >= -0x40000000) p = putVarint(buffer, p, zigzag(delta))
    else p = putVarlong(buffer, p, zigzagLong(BigInt(timestamp) - BigInt(first)))
    p = putVarint(buffer, p, zigzag(this.count))
    p = putVarint(buffer, p, zigzag(keyLength))
    if (key === null) return p
    copyBytes(key, 0, out.view, p, keyLength)
    return p + keyLength
  }

  private ended(timestamp: number, position: number): void {
    this.positionBefore = this.position
    this.maxTimestampBefore = this.maxTimestamp
    if (this.count === 0) this.firstTimestamp = this.maxTimestamp = timestamp
    else if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp
    this.position = position
    this.count++
  }

  /** After `detach` there is no buffer until a record comes. */
  private attach(): void {
    const { out } = this
    if (out.buffer.length > 0) return
    out.position = 0
    out.ensure(this.capacity)
  }

  /** Moves what was written from a place on. */
  private move(from: number, by: number): void {
    const { out } = this
    out.ensure(by)
    out.buffer.copyWithin(from + by, from, out.position)
    out.position += by
  }
}

/** Lengths, times and marks of a record take no more, with room for a wrong guess at its length. */
const MOST_AROUND = 48
const NO_NAMES: readonly Uint8Array[] = []
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => new DataView(buffer, byteOffset, byteLength)
const namesOf = (headers: Headers): readonly Uint8Array[] => headers.map(([name]) => Buffer.from(name))

function putHeaders(buffer: Buffer, p: number, headers: Headers, names: readonly Uint8Array[]): number {
  p = putVarint(buffer, p, zigzag(headers.length))
  for (let i = 0; i < headers.length; i++) {
    const name = names[i]
    const value = headers[i][1]
    p = putVarint(buffer, p, zigzag(name.length))
    buffer.set(name, p)
    p += name.length
    p = putVarint(buffer, p, zigzag(value === null ? -1 : value.length))
    if (value === null) continue
    buffer.set(value, p)
    p += value.length
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
  sealBatch(batch)
}

/** Writes the CRC of a finished batch into it. */
export function sealBatch(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES)), CRC)
  return batch
}
