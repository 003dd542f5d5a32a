import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { deflateRaw } from 'node:zlib'
import { ByteWriter } from '../../serde/bytes.ts'
import { writeBytes, writeLong } from './avro-varint.ts'

/** How the blocks of a container file are compressed. */
export type ContainerCodec = 'null' | 'deflate'

/** A finished Avro object container file. */
export interface Container {
  readonly bytes: Buffer
  readonly rows: number
  /**
   * SHA-256 over schema and uncompressed rows. Two files of equal content have equal digests even where another
   * version of zlib compressed them to other bytes.
   */
  readonly digest: string
}

/** Writes one container file: encode a row into `out`, then call `endRow`; at last `finish`. */
export interface ContainerWriter {
  /** Where the next row is to be appended. Another object after each `endRow`. */
  readonly out: ByteWriter
  readonly rows: number
  /** Uncompressed bytes of the rows so far. */
  readonly size: number
  /** True when the row was the last of a block: the time to `settle`. */
  endRow(): boolean
  /** Lets other work have its turn, and waits while blocks are handed over faster than they are compressed. */
  settle(): Promise<void>
  /** `sync` is the 16-byte marker between blocks. */
  finish(sync: Uint8Array): Promise<Container>
}

/** Uncompressed bytes after which a block ends. Readers split files, and hold memory, by the block. */
const BLOCK_SIZE = 64 * 1024
/** Node's thread pool has 4 threads; one more block each in waiting keeps them busy. */
const MAX_COMPRESSING = 8
/** Encoding a block takes about 0.3 ms; nothing else runs meanwhile. */
const BLOCKS_PER_TURN = 16

const MAGIC = Buffer.from('Obj\x01', 'latin1')
const compress = promisify(deflateRaw)
/**
 * Fast rather than small. A million transactions of 94 bytes: level 1 gives 29 bytes per row for 1.5 CPU s (on another
 * thread), level 3 gives 28 for 2.0, level 6 gives 26 for 3.0; measured with benchmarks/sinks-lake.ts.
 */
const DEFLATE = { level: 1 }

/** A writer of Avro 1.11 object container files whose bytes depend on nothing but schema, codec, rows and marker. */
export function containerWriter(schemaJson: string, codec: ContainerCodec): ContainerWriter {
  const digest = createHash('sha256').update(schemaJson)
  const blocks: { readonly count: number; readonly data: Buffer | Promise<Buffer> }[] = []
  const compressing = new Set<Promise<Buffer>>()
  let out = new ByteWriter(BLOCK_SIZE + BLOCK_SIZE / 8)
  let count = 0
  let rows = 0
  let closedSize = 0

  function endBlock(): void {
    if (count === 0) return
    const raw = out.bytes()
    digest.update(raw)
    blocks.push({ count, data: codec === 'null' ? raw : compressed(raw) })
    closedSize += raw.length
    out = new ByteWriter(BLOCK_SIZE + BLOCK_SIZE / 8)
    count = 0
  }

  function compressed(raw: Buffer): Promise<Buffer> {
    const job = compress(raw, DEFLATE) as Promise<Buffer>
    compressing.add(job)
    const done = () => compressing.delete(job)
    job.then(done, done)
    return job
  }

  return {
    get out() {
      return out
    },
    get rows() {
      return rows
    },
    get size() {
      return closedSize + out.position
    },
    endRow() {
      count++
      rows++
      if (out.position < BLOCK_SIZE) return false
      endBlock()
      return true
    },
    async settle() {
      if (blocks.length % BLOCKS_PER_TURN === 0) await setImmediate()
      while (compressing.size >= MAX_COMPRESSING) await Promise.race(compressing)
    },
    async finish(sync) {
      endBlock()
      const parts: Uint8Array[] = [header(schemaJson, codec, sync)]
      for (const block of blocks) {
        const data = await block.data
        const lengths = new ByteWriter(20)
        writeLong(lengths, block.count)
        writeLong(lengths, data.length)
        parts.push(lengths.bytes(), data, sync)
      }
      return { bytes: Buffer.concat(parts), rows, digest: digest.digest('hex') }
    },
  }
}

function header(schemaJson: string, codec: ContainerCodec, sync: Uint8Array): Buffer {
  const out = new ByteWriter(schemaJson.length + 256)
  out.raw(MAGIC)
  writeLong(out, 2) // a map of two entries
  writeBytes(out, Buffer.from('avro.schema'))
  writeBytes(out, Buffer.from(schemaJson))
  writeBytes(out, Buffer.from('avro.codec'))
  writeBytes(out, Buffer.from(codec))
  writeLong(out, 0)
  out.raw(sync)
  return out.bytes()
}
