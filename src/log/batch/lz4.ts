const MAGIC = 0x184d2204
const SKIPPABLE = 0x184d2a50
const UNCOMPRESSED_BIT = 0x80000000

/**
 * Decompresses LZ4 frames (lz4_Frame_format.md). Header and content checksums are left to the CRC of the record batch,
 * which covers the same bytes. Throws RangeError for damaged bytes.
 */
export function lz4Frames(bytes: Buffer, maxOutput: number): Buffer {
  const out = new Output(bytes.length * 4, maxOutput)
  let p = 0
  while (p < bytes.length) {
    need(bytes, p, 4)
    const magic = bytes.readUInt32LE(p)
    p += 4
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      need(bytes, p, 4)
      p += 4 + bytes.readUInt32LE(p)
      need(bytes, p, 0)
    } else if (magic === MAGIC) p = frame(bytes, p, out)
    else throw new RangeError('not an lz4 frame')
  }
  return out.bytes()
}

/** Reads the frame whose descriptor is at `p`; returns where it ends. */
function frame(bytes: Buffer, p: number, out: Output): number {
  need(bytes, p, 2)
  const flags = bytes[p]
  if (flags >>> 6 !== 1) throw new RangeError(`lz4 frame version ${flags >>> 6}`)
  const blocksLinked = (flags & 0x20) === 0
  const blockChecksum = (flags & 0x10) !== 0
  const contentSize = (flags & 0x08) !== 0
  const contentChecksum = (flags & 0x04) !== 0
  const dictionary = (flags & 0x01) !== 0
  if (dictionary) throw new RangeError('lz4 frame with a dictionary')
  p += 2 + (contentSize ? 8 : 0) + 1 // flags and block size; content size; header checksum
  const frameStart = out.length
  for (;;) {
    need(bytes, p, 4)
    const mark = bytes.readUInt32LE(p)
    p += 4
    if (mark === 0) break
    const size = (mark & ~UNCOMPRESSED_BIT) >>> 0
    need(bytes, p, size)
    if ((mark & UNCOMPRESSED_BIT) !== 0) out.literal(bytes, p, size)
    else block(bytes, p, p + size, out, blocksLinked ? frameStart : out.length)
    p += size + (blockChecksum ? 4 : 0)
  }
  p += contentChecksum ? 4 : 0
  need(bytes, p, 0)
  return p
}

/** One block: literals and matches in turn (lz4_Block_format.md). Matches may reach back to `floor`. */
function block(bytes: Buffer, p: number, end: number, out: Output, floor: number): void {
  while (p < end) {
    const token = bytes[p++]
    let literals = token >>> 4
    if (literals === 15)
      for (let more = 255; more === 255; literals += more) {
        if (p >= end) throw new RangeError('truncated literal length')
        more = bytes[p++]
      }
    if (p + literals > end) throw new RangeError('literal out of bounds')
    out.literal(bytes, p, literals)
    p += literals
    if (p === end) return // the last sequence has no match
    if (p + 2 > end) throw new RangeError('truncated match')
    const back = bytes[p] | (bytes[p + 1] << 8)
    p += 2
    let length = (token & 15) + 4
    if (length === 19)
      for (let more = 255; more === 255; length += more) {
        if (p >= end) throw new RangeError('truncated match length')
        more = bytes[p++]
      }
    if (back === 0 || out.length - back < floor) throw new RangeError('match out of bounds')
    out.match(back, length)
  }
}

function need(bytes: Buffer, at: number, n: number): void {
  if (at + n > bytes.length) throw new RangeError('truncated lz4 frame')
}

/** Output whose size is not known beforehand. */
class Output {
  length = 0
  private buffer: Buffer
  private readonly limit: number

  constructor(capacity: number, limit: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacity)
    this.limit = limit
  }

  literal(bytes: Buffer, start: number, n: number): void {
    this.ensure(n)
    bytes.copy(this.buffer, this.length, start, start + n)
    this.length += n
  }

  match(back: number, n: number): void {
    this.ensure(n)
    const { buffer } = this
    // Byte by byte: source and target may overlap, which is how runs are written.
    for (let o = this.length, stop = o + n; o < stop; o++) buffer[o] = buffer[o - back]
    this.length += n
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  private ensure(n: number): void {
    const wanted = this.length + n
    if (wanted <= this.buffer.length) return
    if (wanted > this.limit) throw new RangeError(`output of more than ${this.limit} bytes`)
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}
