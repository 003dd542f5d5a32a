import type { Rows } from './rows.ts'

/** Cells of a new table; a power of two. */
const FIRST = 16
/** Nobody who chooses keys can know which of them meet in one cell. */
const SEED = (Math.random() * 0x100000000) | 0
const bits = new Float64Array(1)
const halves = new Int32Array(bits.buffer)

/** A hash of what identifies a key: equal for what a Map takes as the same. */
export function hashOf(id: unknown): number {
  if (typeof id === 'number') return hashNumber(id)
  return hashText(typeof id === 'string' ? id : String(id))
}

function hashText(text: string): number {
  const { length } = text
  let hash = SEED ^ length
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x9e3779b1)
  return hash ^ (hash >>> 15)
}

function hashNumber(number: number): number {
  bits[0] = Number.isNaN(number) ? Number.NaN : number + 0
  const hash = Math.imul(SEED ^ halves[0], 0x9e3779b1)
  const mixed = Math.imul(hash ^ (hash >>> 15) ^ halves[1], 0x85ebca6b)
  return mixed ^ (mixed >>> 13)
}

/**
 * The rows of one window, found by their key: open addressing, where a cell is the key's hash and the number of the row. A
 * lookup reads a cell, the key and the row; a Map of V8 reads a bucket and an entry first, and works the hash of a new
 * string out in a call: half the speed.
 */
export class SlotTable {
  size = 0
  /** Pairs of a hash and the number of a row + 1; 0: empty. */
  private cells = new Int32Array(2 * FIRST)
  private mask = FIRST - 1

  /** -1: there is none. */
  find(rows: Rows<unknown>, id: unknown, hash: number): number {
    const { cells, mask } = this
    for (let cell = hash & mask; ; cell = (cell + 1) & mask) {
      const slot = cells[2 * cell + 1] - 1
      if (slot < 0) return -1
      if (cells[2 * cell] === hash && rows.holds(slot, id)) return slot
    }
  }

  /** Puts a row in that is not there. */
  put(hash: number, slot: number): void {
    this.size++
    if (this.size * 2 > this.mask) this.grow()
    this.place(hash, slot + 1)
  }

  /** Takes a row out that is there. */
  delete(hash: number, slot: number): void {
    const { cells, mask } = this
    this.size--
    let hole = hash & mask
    while (cells[2 * hole + 1] !== slot + 1) hole = (hole + 1) & mask
    // What comes behind moves up, as long as it is not before its own cell then (Knuth, TAOCP 3, 6.4, algorithm R).
    for (let cell = (hole + 1) & mask; cells[2 * cell + 1] !== 0; cell = (cell + 1) & mask) {
      const wanted = cells[2 * cell] & mask
      if (((cell - wanted) & mask) < ((cell - hole) & mask)) continue
      cells[2 * hole] = cells[2 * cell]
      cells[2 * hole + 1] = cells[2 * cell + 1]
      hole = cell
    }
    cells[2 * hole + 1] = 0
  }

  /** Rows that it has a place for. */
  get room(): number {
    return this.mask + 1
  }

  /** Empties it. */
  clear(): this {
    this.cells.fill(0)
    this.size = 0
    return this
  }

  /** All rows, in the order in which they lie in memory. */
  slots(): Int32Array {
    const slots = new Int32Array(this.size)
    this.list(slots)
    return slots.sort()
  }

  private list(into: Int32Array): void {
    const { cells } = this
    for (let at = 1, next = 0; at < cells.length; at += 2) if (cells[at] !== 0) into[next++] = cells[at] - 1
  }

  private place(hash: number, value: number): void {
    const { cells, mask } = this
    let cell = hash & mask
    while (cells[2 * cell + 1] !== 0) cell = (cell + 1) & mask
    cells[2 * cell] = hash
    cells[2 * cell + 1] = value
  }

  private grow(): void {
    const { cells } = this
    this.cells = new Int32Array(2 * cells.length)
    this.mask = 2 * this.mask + 1
    for (let at = 0; at < cells.length; at += 2) if (cells[at + 1] !== 0) this.place(cells[at], cells[at + 1])
  }
}
