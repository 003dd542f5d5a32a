import { hex32 } from './random.ts'

/** FNV-1a, 32 bits, of an ASCII text. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Of lines in any order: the sum modulo 2^32 of their FNV-1a hashes. Two results are equal when rows and sum are. */
export class Checksum {
  rows = 0
  private sum = 0

  add(line: string): void {
    this.rows++
    this.sum = (this.sum + fnv1a(line)) >>> 0
  }

  toString(): string {
    return hex32(this.sum)
  }
}
