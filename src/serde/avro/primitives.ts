import { decimalBytes, unscaled } from './decimal.ts'
import { Fault } from './fault.ts'

/** Writes a string with its length; room must have been made for three bytes a character, and the length. */
export function writeText(buffer: Buffer, at: number, value: string): number {
  const end = writeVarint(buffer, at, Buffer.byteLength(value) * 2)
  return end + buffer.utf8Write(value, end)
}

function writeVarint(buffer: Buffer, at: number, value: number): number {
  while (value > 127) {
    buffer[at++] = (value & 127) | 128
    value = Math.floor(value / 128)
  }
  buffer[at++] = value
  return at
}

/** Writes a bigint as a zigzag long. */
export function writeBigLong(buffer: Buffer, at: number, value: bigint): number {
  if (BigInt.asIntN(64, value) !== value) mismatch()
  let zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  while (zigzag > 127n) {
    buffer[at++] = Number(zigzag & 127n) | 128
    zigzag >>= 7n
  }
  buffer[at++] = Number(zigzag)
  return at
}

/** The bytes of a decimal's text. */
export function decimal(value: unknown, precision: number, scale: number, size: number | undefined): Uint8Array {
  const n = unscaled(value, precision, scale)
  return n === undefined ? mismatch() : decimalBytes(n, size)
}

export const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The 16 bytes of a UUID's text. */
export function uuid(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !uuidForm.test(value)) mismatch()
  return Buffer.from(value.replaceAll('-', ''), 'hex')
}

/** The branch in `{ branch: value }`. */
export function onlyKey(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const keys = Object.keys(value)
  return keys.length === 1 ? keys[0] : undefined
}

export function mismatch(): never {
  throw new Fault('the value is not one of the schema')
}
