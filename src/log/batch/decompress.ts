import * as zlib from 'node:zlib'
import type { ErrorContext } from '../../errors.ts'
import { corrupt } from './batch-header.ts'
import { lz4Frames } from './lz4.ts'
import { snappy } from './snappy.ts'

/** More than any batch may hold: a damaged length must not be able to take all memory. */
const MAX_OUTPUT = 1 << 30

const CODECS: readonly { readonly name: string; readonly decode: (bytes: Buffer) => Buffer }[] = [
  { name: 'none', decode: (bytes) => bytes },
  { name: 'gzip', decode: (bytes) => zlib.gunzipSync(bytes, { maxOutputLength: MAX_OUTPUT }) },
  { name: 'snappy', decode: (bytes) => snappy(bytes, MAX_OUTPUT) },
  { name: 'lz4', decode: (bytes) => lz4Frames(bytes, MAX_OUTPUT) },
  { name: 'zstd', decode: (bytes) => zlib.zstdDecompressSync(bytes, { maxOutputLength: MAX_OUTPUT }) },
]

/**
 * The records of a compressed batch. `compression` is the codec's number in the batch's attributes.
 * Throws `CORRUPT_BATCH` for an unknown codec or bytes that it cannot read.
 */
export function decompress(compression: number, bytes: Buffer, where: ErrorContext): Buffer {
  const codec = CODECS[compression]
  if (codec === undefined) throw corrupt(`unknown compression ${compression}`, where)
  try {
    return codec.decode(bytes)
  } catch (cause) {
    throw corrupt(`the record batch cannot be decompressed (${codec.name})`, where, undefined, cause)
  }
}
