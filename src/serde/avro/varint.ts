import { Fault } from './fault.ts'

/** Where the last of these readers stopped; one object, since they are called one after the other. */
export const cursor = { at: 0 }

/** A zigzag long of up to ten bytes, exactly. Bytes past the end of the buffer read as 0; the caller checks its end. */
export function readBigLong(bytes: Uint8Array, at: number, what: string): bigint {
  let value = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[at++] ?? 0
    value |= BigInt(byte & 127) << shift
    if (byte < 128) break
    if (shift === 63n) throw new Fault(`${what}: no long has more than ten bytes`)
  }
  cursor.at = at
  if (value >= 1n << 64n) throw new Fault(`${what}: the long has more than 64 bits`)
  return (value >> 1n) ^ -(value & 1n)
}

/** A long that must be exact as a number. */
export function readSafeLong(bytes: Uint8Array, at: number, what: string): number {
  const value = readBigLong(bytes, at, what)
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new Fault(`${what}: ${value} is beyond 2^53; to read it, declare the serde with { bigint: true }`)
}

/** A long that is read as a double. */
export function readLossyLong(bytes: Uint8Array, at: number, what: string): number {
  return Number(readBigLong(bytes, at, what))
}

/** The zigzag form of a length; odd, which no length is, when it is too large for one. */
export function readLength(bytes: Uint8Array, at: number): number {
  let value = 0
  let factor = 1
  for (let i = 0; i < 6; i++, factor *= 128) {
    const byte = bytes[at++]
    value += (byte & 127) * factor
    if (!(byte > 127)) {
      cursor.at = at
      return value < 2147483648 ? value : 1
    }
  }
  return 1
}
