import { IntLists } from './int-lists.ts'
import type { Keys } from './keys.ts'
import type { RecordBlocks } from './record-blocks.ts'

/**
 * The rows of each key in the order of (time, arrival). A key is known by the number of its line, and has one as long as it
 * has rows.
 */
export class KeyLines<K> {
  private readonly numbers = new Map<unknown, number>()
  private readonly identities: unknown[] = []
  private readonly lists = new IntLists()
  private readonly keys: Keys<K>
  private readonly rows: RecordBlocks

  constructor(keys: Keys<K>, rows: RecordBlocks) {
    this.keys = keys
    this.rows = rows
  }

  /** -1: the key has no rows. */
  find(key: K): number {
    return this.numbers.get(this.keys.identity(key)) ?? -1
  }

  length(line: number): number {
    return this.lists.length(line)
  }

  row(line: number, index: number): number {
    return this.lists.get(line, index)
  }

  setRow(line: number, index: number, row: number): void {
    this.lists.set(line, index, row)
  }

  /** Index of the first row at `time` or later. */
  firstAtOrAfter(line: number, time: number): number {
    const { lists, rows } = this
    let low = 0
    let high = lists.length(line)
    // New records come at the end, or nearly: there the search is over at once.
    if (high > 0 && rows.start(lists.get(line, high - 1)) < time) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (rows.start(lists.get(line, middle)) < time) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Index of the first row that is not before (time, sequence). */
  firstNotBefore(line: number, time: number, sequence: number): number {
    const { lists, rows } = this
    let low = 0
    let high = lists.length(line)
    while (low < high) {
      const middle = (low + high) >>> 1
      const row = lists.get(line, middle)
      const start = rows.start(row)
      if (start < time || (start === time && rows.sequence(row) < sequence)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Puts a row of a key in; `line` as `find` says. Returns its line. */
  insert(line: number, index: number, row: number, key: K): number {
    if (line >= 0) {
      this.lists.insert(line, index, row)
      return line
    }
    const made = this.lists.make(row)
    const identity = this.keys.identity(key)
    const kept = typeof identity === 'string' ? this.keys.keep(identity as K) : identity
    this.numbers.set(kept, made)
    this.identities[made] = kept
    return made
  }

  /** Takes rows [from, to) out; without any the key is forgotten. */
  remove(line: number, from: number, to: number): void {
    if (to - from < this.lists.length(line)) {
      this.lists.remove(line, from, to)
      return
    }
    this.numbers.delete(this.identities[line])
    this.identities[line] = undefined
    this.lists.free(line)
  }

  /** Takes out what is older; nothing where that has been done. */
  removeBefore(line: number, time: number): void {
    if (this.lists.length(line) === 0 || this.rows.start(this.lists.get(line, 0)) >= time) return
    this.remove(line, 0, this.firstAtOrAfter(line, time))
  }
}
