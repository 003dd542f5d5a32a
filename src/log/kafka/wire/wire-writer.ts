/**
 * Writes the primitive types of the Kafka protocol, big-endian, into a growing buffer. The names are those of the
 * protocol guide ("Protocol Primitive Types"); the compact forms and tags belong to the flexible versions (KIP-482).
 */
export class WireWriter {
  private buffer: Buffer
  private position = 0
  /** What lies before `cut` of the buffer, and between it what was lent. */
  private readonly pieces: Buffer[] = []
  private cut = 0

  constructor(capacity = 256) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  /** What was written so far; later writes may or may not change it. */
  finish(): Buffer {
    return this.buffer.subarray(0, this.position)
  }

  /** As `finish`, for a writer that has been lent something. */
  finishPieces(): readonly Buffer[] {
    return [...this.pieces, this.buffer.subarray(this.cut, this.position)]
  }

  int8(value: number): this {
    this.ensure(1)
    this.position = this.buffer.writeInt8(value, this.position)
    return this
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  int16(value: number): this {
    this.ensure(2)
    this.position = this.buffer.writeInt16BE(value, this.position)
    return this
  }

  uint16(value: number): this {
    this.ensure(2)
    this.position = this.buffer.writeUInt16BE(value, this.position)
    return this
  }

  int32(value: number): this {
    this.ensure(4)
    this.position = this.buffer.writeInt32BE(value, this.position)
    return this
  }

  int64(value: number): this {
    this.ensure(8)
    this.position = this.buffer.writeBigInt64BE(BigInt(value), this.position)
    return this
  }

  uvarint(value: number): this {
    this.ensure(5)
    let rest = value
    while (rest > 127) {
      this.buffer[this.position++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.buffer[this.position++] = rest
    return this
  }

  /** Null is length -1. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    const length = Buffer.byteLength(value)
    return this.int16(length).text(value, length)
  }

  /** Null is length -1. */
  bytes(value: Uint8Array | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).raw(value)
  }

  /** As `bytes`, and it becomes a piece of its own, without a copy. Use `finishPieces`. */
  lend(value: Buffer): this {
    this.int32(value.length)
    this.pieces.push(this.buffer.subarray(this.cut, this.position), value)
    this.cut = this.position
    return this
  }

  /** Null is length -1. */
  array<T>(items: readonly T[] | null, write: (writer: this, item: T) => void): this {
    this.int32(items === null ? -1 : items.length)
    for (const item of items ?? []) write(this, item)
    return this
  }

  /** Length + 1; null is 0. */
  compactString(value: string | null): this {
    if (value === null) return this.uvarint(0)
    const length = Buffer.byteLength(value)
    return this.uvarint(length + 1).text(value, length)
  }

  /** Length + 1; null is 0. */
  compactBytes(value: Uint8Array | null): this {
    return value === null ? this.uvarint(0) : this.uvarint(value.length + 1).raw(value)
  }

  /** Length + 1; null is 0. The callback must end each struct with `tags()`. */
  compactArray<T>(items: readonly T[] | null, write: (writer: this, item: T) => void): this {
    this.uvarint(items === null ? 0 : items.length + 1)
    for (const item of items ?? []) write(this, item)
    return this
  }

  /** The empty tag section that ends every flexible struct, and every flexible request header. */
  tags(): this {
    return this.uvarint(0)
  }

  raw(value: Uint8Array): this {
    this.ensure(value.length)
    this.buffer.set(value, this.position)
    this.position += value.length
    return this
  }

  private text(value: string, length: number): this {
    this.ensure(length)
    this.position += this.buffer.write(value, this.position)
    return this
  }

  private ensure(n: number): void {
    const need = this.position + n
    if (need <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(need, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.position)
    this.buffer = grown
  }
}
