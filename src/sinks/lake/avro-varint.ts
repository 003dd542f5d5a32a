import type { ByteWriter } from '../../serde/bytes.ts'

const HALF = 2 ** 27

/** Appends a whole number of at most 53 bits as Avro's zigzag varint. */
export function writeLong(out: ByteWriter, value: number): void {
  out.ensure(10)
  const { buffer } = out
  let p = out.position
  if (value >= -0x40000000 && value < 0x40000000) {
    let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
    while (zigzag > 127) {
      buffer[p++] = (zigzag & 127) | 128
      zigzag >>>= 7
    }
    buffer[p++] = zigzag
  } else {
    // Four bytes of the lower half, then the upper half, each in 32-bit arithmetic; the sign is the lowest bit.
    const sign = value < 0 ? 1 : 0
    const magnitude = sign ? -(value + 1) : value
    let upper = Math.floor(magnitude / HALF)
    const lower = ((magnitude - upper * HALF) << 1) | sign
    buffer[p] = lower | 128
    buffer[p + 1] = (lower >> 7) | 128
    buffer[p + 2] = (lower >> 14) | 128
    buffer[p + 3] = (lower >> 21) | 128
    p += 4
    while (upper > 127) {
      buffer[p++] = upper | 128
      upper >>>= 7
    }
    buffer[p++] = upper
  }
  out.position = p
}

/** Appends bytes behind their length. */
export function writeBytes(out: ByteWriter, bytes: Uint8Array): void {
  writeLong(out, bytes.length)
  out.raw(bytes)
}

/** Reads what the two functions above wrote. Throws a RangeError at the end of the bytes. */
export class VarintReader {
  readonly bytes: Buffer
  position = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  long(): number {
    const first = this.byte()
    let magnitude = (first & 127) >> 1
    let scale = 64
    for (let byte = first; byte > 127; scale *= 128) {
      byte = this.byte()
      magnitude += (byte & 127) * scale
    }
    return first & 1 ? -magnitude - 1 : magnitude
  }

  take(length: number): Buffer {
    const start = this.position
    if (!(length >= 0 && start + length <= this.bytes.length)) throw new RangeError('ends in the middle')
    this.position += length
    return this.bytes.subarray(start, this.position)
  }

  private byte(): number {
    if (this.position >= this.bytes.length) throw new RangeError('ends in the middle')
    return this.bytes[this.position++]!
  }
}
