import { crc32c } from '@node-rs/crc32'
import { type ErrorContext, MillraceError } from '../../errors.ts'
import {
  ATTRIBUTES,
  BASE_SEQUENCE,
  BASE_TIMESTAMP,
  COMPRESSION_BITS,
  CONTROL_BIT,
  COUNT,
  CRC,
  LAST_OFFSET_DELTA,
  LENGTH,
  LOG_APPEND_TIME_BIT,
  MAGIC,
  MAX_TIMESTAMP,
  PREFIX,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  RECORDS,
  TRANSACTIONAL_BIT,
} from './layout.ts'

/** The fixed part of a record batch: what can be known without reading a record. */
export interface BatchHeader {
  readonly baseOffset: number
  readonly lastOffset: number
  /** Bytes of the whole batch, this header included. */
  readonly size: number
  readonly magic: number
  /** As written in the batch; `batchCrc` gives what it should be. */
  readonly crc: number
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly compression: number
  /** All records carry `maxTimestamp`, the time at which the broker appended them. */
  readonly logAppendTime: boolean
  readonly transactional: boolean
  /** Not data but a transaction's end. */
  readonly control: boolean
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  /** -1: not idempotent. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly count: number
}

/** A big-endian int64 as a number; exact within 53 bits. */
export function int64At(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 4294967296 + buffer.readUInt32BE(at + 4)
}

/** The end of the batch at `at`, or -1 when the bytes up to `end` do not hold all of it (the usual end of a fetch). */
export function batchEnd(buffer: Buffer, at: number, end: number): number {
  if (end - at < PREFIX) return -1
  const size = PREFIX + buffer.readInt32BE(at + LENGTH)
  return size >= PREFIX && at + size <= end ? at + size : -1
}

/**
 * Reads the header of the batch at `at`; the 61 bytes must be there. Nothing is checked: see {@link checkBatch}.
 */
export function batchHeader(buffer: Buffer, at: number): BatchHeader {
  const attributes = buffer.readInt16BE(at + ATTRIBUTES)
  const baseOffset = int64At(buffer, at)
  return {
    baseOffset,
    lastOffset: baseOffset + buffer.readInt32BE(at + LAST_OFFSET_DELTA),
    size: PREFIX + buffer.readInt32BE(at + LENGTH),
    magic: buffer.readInt8(at + MAGIC),
    crc: buffer.readUInt32BE(at + CRC),
    compression: attributes & COMPRESSION_BITS,
    logAppendTime: (attributes & LOG_APPEND_TIME_BIT) !== 0,
    transactional: (attributes & TRANSACTIONAL_BIT) !== 0,
    control: (attributes & CONTROL_BIT) !== 0,
    baseTimestamp: int64At(buffer, at + BASE_TIMESTAMP),
    maxTimestamp: int64At(buffer, at + MAX_TIMESTAMP),
    producerId: int64At(buffer, at + PRODUCER_ID),
    producerEpoch: buffer.readInt16BE(at + PRODUCER_EPOCH),
    baseSequence: buffer.readInt32BE(at + BASE_SEQUENCE),
    count: buffer.readInt32BE(at + COUNT),
  }
}

/** The CRC-32C that the batch in [start, end) ought to carry. */
function batchCrc(buffer: Buffer, start: number, end: number): number {
  return crc32c(buffer.subarray(start + ATTRIBUTES, end))
}

/**
 * Reads the header of the batch at `start` and checks that the batch is whole, of magic 2 and undamaged.
 * Throws `CORRUPT_BATCH`, with the base offset of the batch where there is one.
 */
export function checkBatch(buffer: Buffer, start: number, end: number, where?: ErrorContext): BatchHeader {
  const available = end - start
  if (available < RECORDS) {
    // The magic of the old formats is at the same place, and their batches may be shorter than this header.
    if (available > MAGIC) refuseOldMagic(buffer, start, where)
    throw corrupt(`a record batch of ${available} bytes is truncated`, where)
  }
  refuseOldMagic(buffer, start, where)
  const header = batchHeader(buffer, start)
  const at = { ...where, offset: header.baseOffset }
  if (header.size < RECORDS || header.size > available)
    throw corrupt(`the record batch is truncated: ${available} bytes of ${header.size}`, at)
  if (header.crc !== batchCrc(buffer, start, start + header.size))
    throw corrupt('the record batch is damaged: its CRC does not match', at)
  // The offset is outside the CRC.
  if (header.baseOffset < 0 || !Number.isSafeInteger(header.baseOffset))
    throw corrupt('the record batch is damaged: its offset is impossible', at)
  return header
}

function refuseOldMagic(buffer: Buffer, start: number, where?: ErrorContext): void {
  const magic = buffer.readInt8(start + MAGIC)
  if (magic === 2) return
  const at = { ...where, offset: int64At(buffer, start) }
  if (magic === 0 || magic === 1)
    throw corrupt(`a message set of the old format ${magic} cannot be read`, at, 'copy the topic with a current client')
  throw corrupt(`unknown record batch format ${magic}`, at)
}

/** A batch that cannot be read. */
export function corrupt(message: string, where?: ErrorContext, hint?: string, cause?: unknown): MillraceError {
  return new MillraceError('CORRUPT_BATCH', message, { ...where, hint, cause })
}
