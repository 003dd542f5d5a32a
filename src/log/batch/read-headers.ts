import type { Header, Headers } from '../../record.ts'
import { intAt, lengthAt } from './varint.ts'

/** The end of the headers at `at`, or -1 when they are not whole before `end`. */
export function skipHeaders(buffer: Buffer, at: number, end: number): number {
  let count = intAt(buffer, at)
  let p = at + lengthAt(buffer, at)
  // Each header has two lengths, of at least a byte.
  if (count < 0 || count * 2 > end - p) return -1
  while (count-- > 0) {
    const name = intAt(buffer, p)
    if (name < 0 || (p += lengthAt(buffer, p) + name) >= end) return -1
    const value = intAt(buffer, p)
    if (value < -1 || (p += lengthAt(buffer, p) + Math.max(value, 0)) > end) return -1
  }
  return p
}

/** The headers at `at`, which `skipHeaders` has found whole. */
export function readHeaders(buffer: Buffer, at: number): Headers {
  const count = intAt(buffer, at)
  let p = at + lengthAt(buffer, at)
  const headers: Header[] = []
  for (let i = 0; i < count; i++) {
    const nameStart = p + lengthAt(buffer, p)
    const nameEnd = nameStart + intAt(buffer, p)
    const length = intAt(buffer, nameEnd)
    const start = nameEnd + lengthAt(buffer, nameEnd)
    headers.push([buffer.utf8Slice(nameStart, nameEnd), length < 0 ? null : buffer.subarray(start, start + length)])
    p = start + Math.max(length, 0)
  }
  return headers
}
