import { type ByteSource, type ByteWriter, readInt64 } from './bytes.ts'
import { shown, undecodable, unencodable } from './faults.ts'
import type { Serde } from './serde.ts'

/** Whole numbers of 16 bits, big-endian: Kafka's ShortSerializer. */
export function short(): Serde<number> {
  return fixedWidth({
    format: 'short',
    width: 2,
    expected: 'a whole number of 16 bits',
    accepts: (value) => (value << 16) >> 16 === value,
    write: (value, out) => out.int16(value),
    read: ({ view }, p) => view.getInt16(p),
  })
}

/** Whole numbers of 32 bits, big-endian: Kafka's IntegerSerializer. */
export function integer(): Serde<number> {
  return fixedWidth({
    format: 'integer',
    width: 4,
    expected: 'a whole number of 32 bits',
    accepts: (value) => (value | 0) === value,
    write: (value, out) => out.int32(value),
    read: ({ view }, p) => view.getInt32(p),
  })
}

/**
 * Whole numbers of 64 bits, big-endian: Kafka's LongSerializer. As plain numbers, where what lies beyond 2^53 is refused
 * (`UNENCODABLE_RECORD`, `UNDECODABLE_RECORD`) and never rounded; or, with `{ bigint: true }`, as bigints.
 *
 * @example
 * ```ts
 * table('balances', { key: long(), value: long({ bigint: true }), store: 'balances' })
 * ```
 */
export function long(options?: { readonly bigint?: false }): Serde<number>
export function long(options: { readonly bigint: true }): Serde<bigint>
export function long(options: { readonly bigint?: boolean } = {}): Serde<number> | Serde<bigint> {
  return options.bigint ? bigLong : plainLong
}

/** IEEE 754 single precision, big-endian: Kafka's FloatSerializer. Numbers are rounded to it. */
export function float(): Serde<number> {
  return fixedWidth({
    format: 'float',
    width: 4,
    expected: 'a number',
    accepts: () => true,
    write: (value, out) => out.float32(value),
    read: ({ view }, p) => view.getFloat32(p),
  })
}

/** IEEE 754 double precision, big-endian: Kafka's DoubleSerializer. Any number. */
export function double(): Serde<number> {
  return fixedWidth({
    format: 'double',
    width: 8,
    expected: 'a number',
    accepts: () => true,
    write: (value, out) => out.float64(value),
    read: ({ view }, p) => view.getFloat64(p),
  })
}

interface FixedWidth {
  readonly format: string
  readonly width: number
  readonly expected: string
  accepts(value: number): boolean
  write(value: number, out: ByteWriter): void
  read(source: ByteSource, p: number): number
}

function fixedWidth({ format, width, expected, accepts, write, read }: FixedWidth): Serde<number> {
  return {
    format,
    anyTopic: true,
    open: (context) => ({
      encode(value, out) {
        if (typeof value !== 'number' || !accepts(value)) {
          throw unencodable(context, `expected ${expected}, got ${shown(value)}`)
        }
        write(value, out)
      },
      decode(source, start, end) {
        if (end - start !== width) throw undecodable(context, `${format} takes ${width} bytes, got ${end - start}`)
        return read(source, start)
      },
    }),
  }
}

const plainLong: Serde<number> = {
  format: 'long',
  anyTopic: true,
  open: (context) => ({
    encode(value, out) {
      if (!Number.isSafeInteger(value)) {
        throw unencodable(context, `expected a whole number within 2^53, got ${shown(value)}`, undefined, useBigint)
      }
      out.int64(value)
    },
    decode({ view }, start, end) {
      if (end - start !== 8) throw undecodable(context, `long takes 8 bytes, got ${end - start}`)
      const value = readInt64(view, start)
      if (Number.isSafeInteger(value)) return value
      throw undecodable(context, `${view.getBigInt64(start)} is beyond 2^53`, undefined, useBigint)
    },
  }),
}

const bigLong: Serde<bigint> = {
  format: 'long',
  anyTopic: true,
  open: (context) => ({
    encode(value, out) {
      if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) {
        throw unencodable(context, `expected a bigint of 64 bits, got ${shown(value)}`)
      }
      out.bigint64(value)
    },
    decode({ view }, start, end) {
      if (end - start !== 8) throw undecodable(context, `long takes 8 bytes, got ${end - start}`)
      return view.getBigInt64(start)
    },
  }),
}

const useBigint = 'use long({ bigint: true })'
