import { ByteWriter, byteSource } from '../serde/bytes.ts'
import type { Pageable } from './disk/paged.ts'
import type { JoinStore } from './join-store.ts'
import type { KeyNumbers } from './key-numbers.ts'
import type { Keys } from './keys.ts'
import { type Block, DecodedValues, GONE, indexOf, LOGGED, RecordBlocks } from './record-blocks.ts'
import { encodeSequencedKey, type SequencedEntry, sequenceOf } from './sequenced.ts'
import type { ChangelogWriter, ValueCodec } from './store.ts'
import { TimeLists } from './time-lists.ts'
import { innerKey, windowStart } from './window-key.ts'

/** What has a time in one slot, and goes as a whole. */
interface Segment {
  readonly slot: number
  blocks: Block[]
  live: number
}

/** So many dead rows are never too many. */
const FEW = 1024

/**
 * A join store in memory. Records lie as bytes in the blocks of their segment of time, written as the changelog has them,
 * and are decoded when a partner finds them. So what is kept are some buffers, whatever the number of records, and a
 * segment that has expired gives them back as a whole.
 */
export function joinRows<K, V>(
  keys: Keys<K>,
  values: ValueCodec<V>,
  span: number,
  numbers: KeyNumbers<K>,
): JoinStore<K, V> & Pageable<K> {
  const segments = new Map<number, Segment>()
  const rows = new RecordBlocks()
  /** The rows of each key, by its number, in the order of (timestamp, arrival). */
  const lines = new TimeLists()
  const decoded = new DecodedValues(values)
  const keyBytes = new ByteWriter()
  const valueBytes = new ByteWriter()
  /** Blocks with rows that no commit has written, and those with expired rows that the changelog still has. */
  let unwritten: Block[] = []
  let expired: Block[] = []
  let size = 0
  let dead = 0

  const segmentAt = (timestamp: number): Segment => {
    const slot = Math.floor(timestamp / span)
    let segment = segments.get(slot)
    if (segment === undefined) segments.set(slot, (segment = { slot, blocks: [rows.take()], live: 0 }))
    return segment
  }
  /** Where the next row of a segment goes. */
  const openBlock = ({ blocks }: Segment): Block => {
    let block = blocks[blocks.length - 1]
    if (block.isFull) blocks.push((block = rows.take()))
    return block
  }
  /** Index in a key's line of the first row that is not before (timestamp, sequence). */
  const firstNotBefore = (line: number, timestamp: number, sequence: number): number => {
    let low = lines.firstAtOrAfter(line, timestamp)
    let high = lines.firstAtOrAfter(line, timestamp + 1)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (rows.sequence(lines.row(line, middle)) < sequence) low = middle + 1
      else high = middle
    }
    return low
  }
  const enterLine = (line: number, at: number, timestamp: number, row: number, key: K): number => {
    const number = line < 0 || lines.length(line) === 0 ? numbers.hold(key) : line
    lines.insert(number, at, timestamp, row)
    return number
  }
  const leaveLine = (line: number, from: number, to: number) => {
    lines.remove(line, from, to)
    if (lines.length(line) === 0) numbers.release(line)
  }
  const willBeWritten = (block: Block, index: number) => {
    if (block.unwritten >= 0) return
    block.unwritten = index
    unwritten.push(block)
  }
  /** Row `index` of a block is no more; it has left its line. */
  const kill = (segment: Segment, block: Block, index: number) => {
    block.setFlag(index, GONE)
    size--
    dead++
    if (--segment.live > 0) return
    dead -= rowsOf(segment)
    segments.delete(segment.slot)
    for (const each of segment.blocks) rows.give(each)
  }
  /** Copies what lives into new blocks, where most of them is dead. */
  const compact = () => {
    if (dead <= size + FEW) return
    dead = 0
    for (const segment of segments.values()) {
      const { blocks } = segment
      segment.blocks = [rows.take()]
      for (const block of blocks) {
        for (let i = 0; i < block.count; i++) {
          if (block.is(i, GONE)) continue
          const line = block.line(i)
          const index = firstNotBefore(line, block.starts[i], rows.sequence(block.rowAt(i)))
          const to = openBlock(segment)
          const keyEnd = to.bytes.position + block.keyEnd(i) - block.begin(i)
          to.bytes.copy(block.bytes, block.begin(i), block.end(i))
          if (!block.is(i, LOGGED)) willBeWritten(to, to.count)
          lines.setRow(line, index, to.add(block.starts[i], keyEnd, line, block.flags(i)))
        }
      }
      for (const block of blocks) rows.give(block)
    }
  }
  const write = (writer: ChangelogWriter, block: Block, i: number, deleted: boolean) => {
    const keyEnd = block.keyEnd(i)
    keyBytes.reset().copy(block.bytes, block.begin(i), keyEnd)
    if (!deleted) valueBytes.reset().copy(block.bytes, keyEnd, block.end(i))
    writer(keyBytes, deleted ? null : valueBytes, block.starts[i])
  }
  /** A row as it is now, whatever becomes of it. */
  const entryOf = (block: Block, i: number): SequencedEntry<K, V> => {
    const source = byteSource(Uint8Array.prototype.slice.call(block.bytes.buffer, block.begin(i), block.end(i)))
    const keyEnd = block.keyEnd(i) - block.begin(i)
    const start = block.starts[i]
    const logged = block.is(i, LOGGED)
    return {
      key: innerKey(keys, source, 0, keyEnd),
      start,
      value: values.decode(source, keyEnd, source.buffer.length),
      timestamp: start,
      dirty: !logged,
      logged,
      given: null,
      sequence: sequenceOf(source, keyEnd),
    }
  }

  return {
    get size() {
      return size
    },
    put(key, timestamp, value) {
      const line = numbers.find(key)
      const at = line < 0 ? 0 : lines.firstAtOrAfter(line, timestamp + 1)
      const repeated = at > 0 && lines.time(line, at - 1) === timestamp
      const sequence = repeated ? rows.sequence(lines.row(line, at - 1)) + 1 : 0
      const segment = segmentAt(timestamp)
      const block = openBlock(segment)
      const { bytes } = block
      const begin = bytes.position
      let keyEnd = begin
      try {
        keys.encode(key, bytes)
        bytes.int64(timestamp)
        bytes.int32(sequence)
        keyEnd = bytes.position
        values.encode(value, bytes)
      } catch (error) {
        bytes.position = begin
        throw error
      }
      const index = block.count
      const row = block.add(timestamp, keyEnd, line, 0)
      block.setLine(index, enterLine(line, at, timestamp, row, key))
      willBeWritten(block, index)
      segment.live++
      size++
    },
    fetch(key, from, to, visit) {
      const line = numbers.find(key)
      const length = line < 0 ? 0 : lines.length(line)
      if (length === 0) return false
      const first = lines.firstAtOrAfter(line, from)
      let i = first
      for (; i < length; i++) {
        const start = lines.time(line, i)
        if (start > to) break
        const row = lines.row(line, i)
        visit(start, decoded.of(rows.of(row), indexOf(row)))
      }
      return i > first
    },
    expire(before) {
      const end = Math.floor(before / span) * span
      for (const segment of segments.values()) {
        if (segment.slot * span >= end) continue
        segments.delete(segment.slot)
        size -= segment.live
        dead -= rowsOf(segment) - segment.live
        for (const block of segment.blocks) {
          for (let i = 0; i < block.count; i++) {
            const line = block.line(i)
            // The first of its rows takes the others along.
            if (block.is(i, GONE) || lines.length(line) === 0 || lines.time(line, 0) >= end) continue
            leaveLine(line, 0, lines.firstAtOrAfter(line, end))
          }
          block.unwritten = -1
          expired.push(block)
        }
      }
    },
    unload(key, from, to) {
      const line = numbers.find(key)
      if (line < 0 || lines.length(line) === 0) return
      const first = lines.firstAtOrAfter(line, from)
      const end = lines.firstAtOrAfter(line, to + 1)
      const gone = Array.from({ length: end - first }, (_, i) => lines.row(line, first + i))
      if (end > first) leaveLine(line, first, end)
      for (const row of gone) kill(segmentAt(rows.start(row)), rows.of(row), indexOf(row))
      compact()
    },
    *all() {
      for (const segment of segments.values()) {
        for (const block of segment.blocks) {
          // A snapshot walks over it while commits take segments out.
          if (segments.get(segment.slot) !== segment) break
          const entries: SequencedEntry<K, V>[] = []
          for (let i = 0; i < block.count; i++) if (!block.is(i, GONE)) entries.push(entryOf(block, i))
          yield* entries
        }
      }
    },
    flush(writer) {
      for (const block of expired) {
        for (let i = 0; i < block.count; i++)
          if (block.is(i, LOGGED) && !block.is(i, GONE)) write(writer, block, i, true)
        rows.give(block)
      }
      expired = []
      for (const block of unwritten) {
        // Made and gone between two commits: the changelog need not know.
        if (block.unwritten < 0) continue
        for (let i = block.unwritten; i < block.count; i++) {
          if (block.is(i, LOGGED) || block.is(i, GONE)) continue
          write(writer, block, i, false)
          block.setFlag(i, LOGGED)
        }
        block.unwritten = -1
      }
      unwritten = []
    },
    writeEntry(of, writer) {
      const entry = of as SequencedEntry<K, V>
      encodeSequencedKey(keys, entry, keyBytes.reset())
      values.encode(entry.value!, valueBytes.reset())
      writer(keyBytes, valueBytes, entry.timestamp)
    },
    restore(source, keyStart, keyEnd, valueStart, valueEnd) {
      const timestamp = windowStart(source, keyEnd)
      const sequence = sequenceOf(source, keyEnd)
      const key = innerKey(keys, source, keyStart, keyEnd)
      // A schema that is not loaded yet must show now, not when a partner finds the record.
      if (valueStart >= 0) values.decode(source, valueStart, valueEnd)
      const line = numbers.find(key)
      const at = line < 0 ? 0 : firstNotBefore(line, timestamp, sequence)
      const isThere = line >= 0 && at < lines.length(line) && lines.time(line, at) === timestamp
      const there = isThere ? lines.row(line, at) : -1
      const known = isThere && rows.sequence(there) === sequence ? there : -1
      if (valueStart >= 0) {
        const segment = segmentAt(timestamp)
        const block = openBlock(segment)
        const keyAt = block.bytes.position
        block.bytes.copy(source, keyStart, keyEnd)
        block.bytes.copy(source, valueStart, valueEnd)
        const index = block.count
        const row = block.add(timestamp, keyAt + keyEnd - keyStart, line, LOGGED)
        if (known >= 0) lines.setRow(line, at, row)
        else block.setLine(index, enterLine(line, at, timestamp, row, key))
        segment.live++
        size++
      } else if (known >= 0) leaveLine(line, at, at + 1)
      if (known < 0) return
      kill(segmentAt(timestamp), rows.of(known), indexOf(known))
      compact()
    },
  }
}

const rowsOf = ({ blocks }: Segment): number => blocks.reduce((sum, { count }) => sum + count, 0)
