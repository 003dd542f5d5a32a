import { MillraceError } from '../errors.ts'
import type { ByteSource, ByteWriter } from '../serde/bytes.ts'

/** Reads the serialised form of an accumulator from front to back; throws `UNDECODABLE_RECORD` where it is short. */
export class StateReader {
  readonly source: ByteSource
  readonly kind: string
  position: number
  readonly end: number

  constructor(kind: string, source: ByteSource, start: number, end: number) {
    this.kind = kind
    this.source = source
    this.position = start
    this.end = end
  }

  get atEnd(): boolean {
    return this.position >= this.end
  }

  uint8(): number {
    return this.source.buffer[this.advance(1)]
  }

  /** An int64 of at most 53 bits. */
  int64(): number {
    const at = this.advance(8)
    return this.source.view.getInt32(at) * 4294967296 + this.source.view.getUint32(at + 4)
  }

  float64(): number {
    return this.source.view.getFloat64(this.advance(8))
  }

  /** An unsigned number of at most 53 bits, as `writeVarint` writes it. */
  varint(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.uint8()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw this.fault('a number is too long')
  }

  /** Goes past `length` bytes and returns where they start. */
  advance(length: number): number {
    const at = this.position
    if (at + length > this.end) throw this.fault('the bytes end too early')
    this.position = at + length
    return at
  }

  /** Throws unless everything was read. */
  finish(): void {
    if (!this.atEnd) throw this.fault(`${this.end - this.position} bytes are left over`)
  }

  fault(reason: string): MillraceError {
    return new MillraceError('UNDECODABLE_RECORD', `cannot read the state of ${this.kind}: ${reason}`, {
      hint: 'the state was written by another aggregate: give the changed aggregation a new name, or reset its state',
    })
  }
}

/** An unsigned number of at most 53 bits: seven bits a byte, lowest first. */
export function writeVarint(out: ByteWriter, value: number): void {
  while (value > 127) {
    out.uint8((value % 128) | 128)
    value = Math.floor(value / 128)
  }
  out.uint8(value)
}

/** Writes what `write` writes, preceded by its length as a varint. */
export function writeSized(out: ByteWriter, write: () => void): void {
  const at = beginSized(out)
  write()
  endSized(out, at)
}

/** Keeps room for a length; returns what `endSized` must be told. */
export function beginSized(out: ByteWriter): number {
  out.uint8(0)
  return out.position - 1
}

/** Writes the length of what was written since `beginSized`. */
export function endSized(out: ByteWriter, at: number): void {
  const end = out.position
  const length = end - at - 1
  if (length < 128) {
    out.buffer[at] = length
    return
  }
  // One byte was kept for the length; where it takes more, the rest moves on.
  let more = 0
  for (let rest = length; rest > 127; rest = Math.floor(rest / 128)) more++
  if (more > 0) {
    out.ensure(more)
    out.buffer.copyWithin(at + 1 + more, at + 1, end)
  }
  out.position = at
  writeVarint(out, length)
  out.position = end + more
}
