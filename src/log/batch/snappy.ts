/** The framing of xerial's snappy-java, which Kafka's Java clients write: this, two int32 versions, then blocks. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER = 16

/** Decompresses snappy, bare (as librdkafka writes it) or in xerial's framing. Throws RangeError for damaged bytes. */
export function snappy(bytes: Buffer, maxOutput: number): Buffer {
  if (bytes.length < XERIAL_HEADER || bytes.compare(XERIAL, 0, 8, 0, 8) !== 0) return block(bytes, maxOutput)
  const blocks: Buffer[] = []
  let room = maxOutput
  for (let p = XERIAL_HEADER; p < bytes.length; ) {
    if (p + 4 > bytes.length) throw new RangeError('truncated block length')
    const length = bytes.readInt32BE(p)
    p += 4
    if (length < 0 || p + length > bytes.length) throw new RangeError('truncated block')
    const decoded = block(bytes.subarray(p, p + length), room)
    room -= decoded.length
    blocks.push(decoded)
    p += length
  }
  return blocks.length === 1 ? blocks[0] : Buffer.concat(blocks)
}

/** One block: the length of the output, then literals and copies (google/snappy, format_description.txt). */
function block(bytes: Buffer, maxOutput: number): Buffer {
  const end = bytes.length
  let p = 0
  let size = 0
  for (let shift = 0; ; shift += 7) {
    if (p >= end || shift > 28) throw new RangeError('bad output length')
    const byte = bytes[p++]
    size += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  if (size > maxOutput) throw new RangeError(`output of ${size} bytes`)
  const out = Buffer.allocUnsafeSlow(size)
  let o = 0
  while (p < end) {
    const tag = bytes[p++]
    const kind = tag & 3
    if (kind === 0) {
      let length = (tag >>> 2) + 1
      if (length > 60) {
        const extra = length - 60
        if (p + extra > end) throw new RangeError('truncated literal')
        length = bytes.readUIntLE(p, extra) + 1
        p += extra
      }
      if (p + length > end || o + length > size) throw new RangeError('literal out of bounds')
      bytes.copy(out, o, p, p + length)
      p += length
      o += length
      continue
    }
    const extra = kind === 3 ? 4 : kind
    if (p + extra > end) throw new RangeError('truncated copy')
    const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    const back = kind === 1 ? ((tag >>> 5) << 8) | bytes[p] : bytes.readUIntLE(p, extra)
    p += extra
    if (back === 0 || back > o || o + length > size) throw new RangeError('copy out of bounds')
    // Byte by byte: source and target may overlap, which is how runs are written.
    for (let i = 0; i < length; i++, o++) out[o] = out[o - back]
  }
  if (o !== size) throw new RangeError(`${o} bytes of ${size}`)
  return out
}
