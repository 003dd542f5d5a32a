import type { ByteWriter } from '../../../serde/bytes.ts'
import { type ColumnEncoder, unfit } from './column-encoder.ts'

/** Encoder of a number type, or undefined for another type. */
export function numberEncoder(name: string): ColumnEncoder | undefined {
  if (name === 'Float64' || name === 'Float32' || name === 'BFloat16') return float(name)
  const [, unsigned, size] = /^(U?)Int(8|16|32|64|128|256)$/.exec(name) ?? []
  if (size === undefined) return undefined
  const bits = Number(size)
  if (bits > 64) return wide(name, bits, unsigned === 'U')
  return bits === 64 ? long(name, unsigned === 'U') : int(name, bits / 8, unsigned === 'U')
}

function int(name: string, size: number, unsigned: boolean): ColumnEncoder {
  const min = unsigned ? 0 : -(2 ** (size * 8 - 1))
  const max = unsigned ? 2 ** (size * 8) - 1 : 2 ** (size * 8 - 1) - 1
  return {
    wire: name,
    nulls: 'always',
    empty: 0,
    emptySize: size,
    convert(value) {
      const number = typeof value === 'number' ? value : wholeNumber(value, name)
      if (!Number.isInteger(number)) throw unfit(value, name, 'not a whole number')
      if (number < min || number > max) throw unfit(value, name, 'out of range')
      return number
    },
    write(values, out) {
      out.ensure(values.length * size)
      const { view } = out
      let p = out.position
      // Two's complement: the signed writes take unsigned numbers as well.
      for (let i = 0; i < values.length; i++, p += size) {
        const value = values[i] as number
        if (size === 4) view.setInt32(p, value, true)
        else if (size === 2) view.setInt16(p, value, true)
        else view.setInt8(p, value)
      }
      out.position = p
    },
  }
}

function wholeNumber(value: unknown, name: string): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'bigint' || (typeof value === 'string' && /^-?\d+$/.test(value))) return Number(value)
  throw unfit(value, name)
}

function long(name: string, unsigned: boolean): ColumnEncoder {
  const fits = unsigned ? BigInt.asUintN : BigInt.asIntN
  return {
    wire: name,
    nulls: 'always',
    empty: 0,
    emptySize: 8,
    convert(value) {
      if (Number.isSafeInteger(value) && (!unsigned || (value as number) >= 0)) return value
      const whole = wholeBigInt(value, name)
      if (fits(64, whole) !== whole) throw unfit(value, name, 'out of range')
      return whole
    },
    write: writeLongs,
  }
}

function wholeBigInt(value: unknown, name: string): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value)
  if (typeof value !== 'number') throw unfit(value, name)
  if (!Number.isInteger(value)) throw unfit(value, name, 'not a whole number')
  return BigInt(value)
}

/** Appends 64-bit integers, given as safe integers or bigints. */
export function writeLongs(values: readonly unknown[], out: ByteWriter): void {
  out.ensure(values.length * 8)
  const { view } = out
  let p = out.position
  for (let i = 0; i < values.length; i++, p += 8) {
    const value = values[i] as number | bigint
    if (typeof value === 'number') {
      view.setInt32(p, value >>> 0, true)
      view.setInt32(p + 4, Math.floor(value / 4294967296), true)
    } else view.setBigInt64(p, value, true)
  }
  out.position = p
}

function float(name: string): ColumnEncoder {
  const size = name === 'Float64' ? 8 : 4
  return {
    wire: size === 8 ? 'Float64' : 'Float32',
    nulls: 'always',
    empty: 0,
    emptySize: size,
    convert(value) {
      if (typeof value === 'number') return value
      const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
      const said = typeof value === 'string' && /^(nan|[+-]?inf(inity)?)$/i.test(value)
      if (typeof value === 'object' || (Number.isNaN(number) && !said)) throw unfit(value, name)
      if (!said) return number
      return /^nan$/i.test(value) ? Number.NaN : value.startsWith('-') ? -Infinity : Infinity
    },
    write(values, out) {
      out.ensure(values.length * size)
      const { view } = out
      let p = out.position
      for (let i = 0; i < values.length; i++, p += size) {
        if (size === 8) view.setFloat64(p, values[i] as number, true)
        else view.setFloat32(p, values[i] as number, true)
      }
      out.position = p
    },
  }
}

function wide(name: string, bits: number, unsigned: boolean): ColumnEncoder {
  const fits = unsigned ? BigInt.asUintN : BigInt.asIntN
  return {
    wire: name,
    nulls: 'always',
    empty: 0n,
    emptySize: bits / 8,
    convert(value) {
      const whole = wholeBigInt(value, name)
      if (fits(bits, whole) !== whole) throw unfit(value, name, 'out of range')
      return whole
    },
    write: (values, out) => writeBigInts(values as bigint[], bits / 8, out),
  }
}

/** Appends integers of 4, 8, 16 or 32 bytes. */
export function writeBigInts(values: readonly bigint[], size: number, out: ByteWriter): void {
  out.ensure(values.length * size)
  const { view } = out
  let p = out.position
  for (let rest of values) {
    if (size === 4) view.setInt32(p, Number(rest), true)
    else {
      for (let at = 0; at < size; at += 8, rest >>= 64n) view.setBigInt64(p + at, rest, true)
    }
    p += size
  }
  out.position = p
}
