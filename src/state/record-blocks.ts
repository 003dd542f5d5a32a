import { type ByteSource, ByteWriter } from '../serde/bytes.ts'
import type { ValueCodec } from './store.ts'

const BITS = 8
const ROWS = 1 << BITS
const MASK = ROWS - 1
/** A block takes no more rows when it holds so many bytes. */
const FULL_BYTES = 1 << 20
const FIRST_BYTES = 2048

/** A row is in the changelog, so that its deletion must be, too. */
export const LOGGED = 1
/** A row is no more. */
export const GONE = 2
/** A row has been read. */
const READ = 4

/** What is known of a row, beside each other: where its key and its value end, the number of its key, what it is. */
const KEY_END = 0
const END = 1
const LINE = 2
const FLAGS = 3
const STRIDE = 4

/** Up to 256 records as bytes, one behind the other. */
export class Block {
  readonly number: number
  /** Key and value of each row, as the changelog has them. */
  bytes = new ByteWriter(FIRST_BYTES)
  count = 0
  readonly starts = new Float64Array(ROWS)
  /** Has rows from here on that no commit has written; -1: none. */
  unwritten = -1
  /** Tells the rows that it holds now from those that it held before. */
  stamp = 0
  private readonly columns = new Int32Array(ROWS * STRIDE)

  constructor(number: number) {
    this.number = number
  }

  get isFull(): boolean {
    return this.count === ROWS || this.bytes.position >= FULL_BYTES
  }

  begin(index: number): number {
    return index === 0 ? 0 : this.end(index - 1)
  }

  keyEnd(index: number): number {
    return this.columns[index * STRIDE + KEY_END]
  }

  end(index: number): number {
    return this.columns[index * STRIDE + END]
  }

  line(index: number): number {
    return this.columns[index * STRIDE + LINE]
  }

  setLine(index: number, line: number): void {
    this.columns[index * STRIDE + LINE] = line
  }

  flags(index: number): number {
    return this.columns[index * STRIDE + FLAGS]
  }

  setFlag(index: number, flag: number): void {
    this.columns[index * STRIDE + FLAGS] |= flag
  }

  is(index: number, flag: number): boolean {
    return (this.flags(index) & flag) !== 0
  }

  rowAt(index: number): number {
    return (this.number << BITS) | index
  }

  /** Makes a row of what has been appended to `bytes`; `keyEnd` is where its key ends. */
  add(start: number, keyEnd: number, line: number, flags: number): number {
    const index = this.count++
    const at = index * STRIDE
    this.starts[index] = start
    this.columns[at + KEY_END] = keyEnd
    this.columns[at + END] = this.bytes.position
    this.columns[at + LINE] = line
    this.columns[at + FLAGS] = flags
    return this.rowAt(index)
  }
}

/**
 * Records as bytes in blocks, where the garbage collector has nothing to look at: a row is known by a number, and given up
 * with its whole block, which is then used again.
 */
export class RecordBlocks {
  private readonly blocks: Block[] = []
  private readonly spare: Block[] = []
  private stamps = 0

  take(): Block {
    let block = this.spare.pop()
    if (block === undefined) this.blocks.push((block = new Block(this.blocks.length)))
    block.stamp = ++this.stamps
    return block
  }

  give(block: Block): void {
    block.count = 0
    block.unwritten = -1
    // The numbers stay, so that rows can name it; the bytes do while about as many will soon be needed.
    if (this.spare.length > this.blocks.length >> 1) block.bytes = new ByteWriter(FIRST_BYTES)
    else block.bytes.reset()
    this.spare.push(block)
  }

  of(row: number): Block {
    return this.blocks[row >>> BITS]
  }

  start(row: number): number {
    return this.blocks[row >>> BITS].starts[row & MASK]
  }

  /** Tells rows of one key and time apart: the last four bytes of the key in the changelog. */
  sequence(row: number): number {
    const block = this.blocks[row >>> BITS]
    return block.bytes.view.getInt32(block.keyEnd(row & MASK) - 4)
  }
}

export const indexOf = (row: number): number => row & MASK

/** As many values are kept decoded. */
const KEPT = 1024

/**
 * Values of rows, decoded. One that is read a second time is kept for the third: where every record has many partners it is
 * not decoded for each of them, and where it has one nothing is kept that the garbage collector would have to move.
 */
export class DecodedValues<V> {
  private readonly rows = new Int32Array(KEPT).fill(-1)
  private readonly stamps = new Float64Array(KEPT)
  private readonly values: (V | undefined)[] = []
  private readonly bytes = new ValueBytes()
  private readonly codec: Pick<ValueCodec<V>, 'decode'>

  constructor(codec: Pick<ValueCodec<V>, 'decode'>) {
    this.codec = codec
  }

  of(block: Block, index: number): V {
    const isRead = block.is(index, READ)
    const row = block.rowAt(index)
    const at = row & (KEPT - 1)
    if (isRead && this.rows[at] === row && this.stamps[at] === block.stamp) return this.values[at] as V
    const start = block.keyEnd(index)
    const end = block.end(index)
    const value = this.codec.decode(this.bytes.of(block.bytes, start, end), start, end)
    if (!isRead) block.setFlag(index, READ)
    else {
      this.rows[at] = row
      this.stamps[at] = block.stamp
      this.values[at] = value
    }
    return value
  }
}

const NOTHING = new ByteWriter(0)

/** One value in a block, for codecs. Texts are cut from a copy of its bytes alone, so that they hold on to no more. */
class ValueBytes implements ByteSource {
  buffer: Buffer = NOTHING.buffer
  view: DataView = NOTHING.view
  base = 0
  private end = 0
  private latin1: string | undefined

  /** Bytes [start, end) of a writer; valid until it is asked for others. */
  of({ buffer, view }: ByteWriter, start: number, end: number): this {
    this.buffer = buffer
    this.view = view
    this.base = start
    this.end = end
    this.latin1 = undefined
    return this
  }

  get text(): string {
    return (this.latin1 ??= this.buffer.latin1Slice(this.base, this.end))
  }
}
