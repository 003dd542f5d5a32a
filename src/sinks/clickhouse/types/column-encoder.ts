import type { ByteWriter } from '../../../serde/bytes.ts'

/**
 * How JavaScript values become a column of a Native block. The wire type need not be the column's: the server casts,
 * so that a column altered while the application runs still fits, and rare types travel as texts.
 */
export interface ColumnEncoder {
  /** The type in the block: `Int32`, `String`, `Array(Float64)`. */
  readonly wire: string
  /**
   * Whether `Nullable(wire)` may be sent: 'always', since the server makes the column's default of NULL where it does
   * not take it; 'if taken', where it would fail to cast the default of the wire type; 'never' where that is no type.
   */
  readonly nulls: 'always' | 'if taken' | 'never'
  /** What stands where there is nothing. */
  readonly empty: unknown
  /** Bytes that `empty` takes. */
  readonly emptySize: number
  /** The value as `write` takes it. Never called with null or undefined. Throws {@link UnfitValue}. */
  convert(value: unknown): unknown
  /** Appends converted values. */
  write(values: readonly unknown[], out: ByteWriter): void
}

/** A value that does not fit its column. */
export class UnfitValue extends Error {}

/** The value, cut short, and why it does not fit. */
export function unfit(value: unknown, type: string, reason = ''): UnfitValue {
  const shown = typeof value === 'string' ? JSON.stringify(value) : describe(value)
  const short = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown
  return new UnfitValue(`${short} does not fit into ${type}${reason && `: ${reason}`}`)
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    return jsonText(value)
  } catch {
    return 'an object'
  }
}

/** JSON, with bigints as numbers in quotes and bytes in base64. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, function (name, member: unknown) {
    if (typeof member === 'bigint') return member.toString()
    // Buffer#toJSON has already been called on `member`, so look at what it was before.
    const raw = (this as Record<string, unknown>)[name]
    if (raw instanceof Uint8Array) return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64')
    return member
  })
}

/** The unit of numbers that stand for a time. */
export type TimeUnit = 'ms' | 'us' | 'ns'

/** The unit of a column, or those of the elements of its tuples, by name. */
export type TimeUnits = TimeUnit | { readonly [element: string]: TimeUnits }

/** Appends an unsigned LEB128 number. */
export function writeVarUInt(out: ByteWriter, value: number): void {
  let rest = value
  while (rest > 127) {
    out.uint8((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  out.uint8(rest)
}

/** Appends a text or bytes with their length in front. */
export function writeText(out: ByteWriter, value: string | Uint8Array): void {
  if (typeof value !== 'string') {
    writeVarUInt(out, value.length)
    out.raw(value)
  } else if (value.length < 43) {
    // At most 126 bytes long, so the length is one byte, which is put in afterwards.
    out.ensure(1)
    const at = out.position++
    out.string(value)
    out.buffer[at] = out.position - at - 1
  } else {
    writeVarUInt(out, Buffer.byteLength(value))
    out.string(value)
  }
}
