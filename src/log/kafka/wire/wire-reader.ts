import { int64At } from '../../batch/batch-header.ts'

/**
 * Reads the primitive types of the Kafka protocol from an answer; the mirror of WireWriter. Throws RangeError when the
 * answer ends too early.
 */
export class WireReader {
  readonly buffer: Buffer
  position: number

  constructor(buffer: Buffer, position = 0) {
    this.buffer = buffer
    this.position = position
  }

  int8(): number {
    const value = this.buffer.readInt8(this.position)
    this.position += 1
    return value
  }

  boolean(): boolean {
    return this.int8() !== 0
  }

  int16(): number {
    const value = this.buffer.readInt16BE(this.position)
    this.position += 2
    return value
  }

  uint16(): number {
    const value = this.buffer.readUInt16BE(this.position)
    this.position += 2
    return value
  }

  int32(): number {
    const value = this.buffer.readInt32BE(this.position)
    this.position += 4
    return value
  }

  /** Exact within 53 bits. */
  int64(): number {
    const value = int64At(this.buffer, this.position)
    this.position += 8
    return value
  }

  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer.readUInt8(this.position++)
      value |= (byte & 127) << shift
      if (byte < 128) return value >>> 0
    }
    throw new RangeError('an unsigned varint of more than five bytes')
  }

  string(): string {
    return this.nullableString() ?? ''
  }

  nullableString(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.text(length)
  }

  /** A view of the answer; null when absent. */
  bytes(): Buffer | null {
    const length = this.int32()
    return length < 0 ? null : this.raw(length)
  }

  /** Null reads as empty. */
  array<T>(read: (reader: this) => T): T[] {
    return this.items(this.int32(), read)
  }

  compactString(): string {
    return this.nullableCompactString() ?? ''
  }

  nullableCompactString(): string | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.text(length)
  }

  compactBytes(): Buffer | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.raw(length)
  }

  /** Null reads as empty. The callback must end each struct with `tags()`. */
  compactArray<T>(read: (reader: this) => T): T[] {
    return this.items(this.uvarint() - 1, read)
  }

  /** Passes over the tag section that ends every flexible struct, and every flexible answer's header. */
  tags(): void {
    for (let n = this.uvarint(); n > 0; n--) {
      this.uvarint()
      this.skip(this.uvarint())
    }
  }

  skip(n: number): void {
    if (n < 0 || this.position + n > this.buffer.length) throw new RangeError('the answer ends too early')
    this.position += n
  }

  raw(length: number): Buffer {
    const start = this.position
    this.skip(length)
    return this.buffer.subarray(start, this.position)
  }

  private text(length: number): string {
    const start = this.position
    this.skip(length)
    return this.buffer.utf8Slice(start, this.position)
  }

  private items<T>(count: number, read: (reader: this) => T): T[] {
    // Every item takes a byte at least: a greater count is garbage and must not be allocated for.
    if (count > this.buffer.length - this.position) throw new RangeError(`an array of ${count} items in too few bytes`)
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read(this))
    return items
  }
}
