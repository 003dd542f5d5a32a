/**
 * Variable-length numbers of the record format: zigzag, then seven bits a byte, lowest first (Protocol Buffers encoding;
 * Kafka's ByteUtils). At most 5 bytes for an int32, 10 for an int64.
 */

/** int32 → unsigned, small magnitudes first. */
export function zigzag(n: number): number {
  return ((n << 1) ^ (n >> 31)) >>> 0
}

/** int64 → unsigned. */
export function zigzagLong(n: bigint): bigint {
  return BigInt.asUintN(64, (n << 1n) ^ (n >> 63n))
}

/** Bytes that an unsigned number below 2^32 takes. */
export function varintSize(unsigned: number): number {
  return unsigned < 128 ? 1 : unsigned < 16384 ? 2 : unsigned < 2097152 ? 3 : unsigned < 268435456 ? 4 : 5
}

/** Writes an unsigned number below 2^32 at `p`; returns the place after it. */
export function putVarint(buffer: Uint8Array, p: number, unsigned: number): number {
  while (unsigned > 127) {
    buffer[p++] = (unsigned & 127) | 128
    unsigned >>>= 7
  }
  buffer[p] = unsigned
  return p + 1
}

/** Writes an unsigned number below 2^64 at `p`; returns the place after it. */
export function putVarlong(buffer: Uint8Array, p: number, unsigned: bigint): number {
  while (unsigned > 127n) {
    buffer[p++] = Number(unsigned & 127n) | 128
    unsigned >>= 7n
  }
  buffer[p] = Number(unsigned)
  return p + 1
}

/** Bytes of the number at `at`, by its continuation bits; 11 or more is no number. */
export function lengthAt(buffer: Buffer, at: number): number {
  let p = at
  while (buffer[p] > 127 && p - at < 11) p++
  return p - at + 1
}

/** The signed int32 at `at`, however long. */
export function intAt(buffer: Buffer, at: number): number {
  let n = 0
  for (let shift = 0; shift < 32; shift += 7) {
    const byte = buffer[at++]
    n |= (byte & 127) << shift
    if (byte < 128) break
  }
  return (n >>> 1) ^ -(n & 1)
}

/** The signed int64 at `at`, however long. */
export function longAt(buffer: Buffer, at: number): bigint {
  let n = 0n
  for (let shift = 0n; shift < 64n; shift += 7n) {
    const byte = buffer[at++]
    n |= BigInt(byte & 127) << shift
    if (byte < 128) break
  }
  n = BigInt.asUintN(64, n)
  return BigInt.asIntN(64, (n >> 1n) ^ -(n & 1n))
}
