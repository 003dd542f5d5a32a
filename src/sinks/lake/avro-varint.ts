import type { ByteWriter } from '../../serde/bytes.ts'

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
    // The sign goes into the first byte apart: doubled, a number past 2^52 would not be exact any more.
    const sign = value < 0 ? 1 : 0
    const magnitude = sign ? -(value + 1) : value
    buffer[p++] = ((magnitude % 64) << 1) | sign | 128
    let rest = Math.floor(magnitude / 64)
    while (rest > 127) {
      buffer[p++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    buffer[p++] = rest
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
