/** What is known of a list: where it begins, how long it is, and its room as a power of two; -1: it has none. */
const AT = 0
const LENGTH = 1
const ROOM = 2
const STRIDE = 3

/**
 * Lists of (time, row) in the order of time, most of them short, each known by a number that is given. All of them lie in
 * two typed arrays: a list costs 12 bytes, an element 16 more, the garbage collector has nothing to look at, however many
 * there are, and a search misses the cache as rarely as can be.
 */
export class TimeLists {
  private heads = new Int32Array(16 * STRIDE).fill(-1)
  /** Time and row of each. */
  private elements = new Float64Array(64 * 2)
  /** End of the elements that have been given out. */
  private end = 0
  /** Rooms that were given back, by their power of two. */
  private readonly spare: number[][] = []

  length(list: number): number {
    const at = list * STRIDE + LENGTH
    return at < this.heads.length && this.heads[at] > 0 ? this.heads[at] : 0
  }

  time(list: number, index: number): number {
    return this.elements[(this.heads[list * STRIDE + AT] + index) * 2]
  }

  row(list: number, index: number): number {
    return this.elements[(this.heads[list * STRIDE + AT] + index) * 2 + 1]
  }

  setRow(list: number, index: number, row: number): void {
    this.elements[(this.heads[list * STRIDE + AT] + index) * 2 + 1] = row
  }

  /** Index of the first element at `time` or later. */
  firstAtOrAfter(list: number, time: number): number {
    const length = this.length(list)
    if (length === 0) return 0
    const { elements } = this
    const first = this.heads[list * STRIDE + AT]
    let low = first
    let high = first + length
    // New elements come at the end, or nearly: there the search is over at once.
    if (elements[(high - 1) * 2] < time) return length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (elements[middle * 2] < time) low = middle + 1
      else high = middle
    }
    return low - first
  }

  insert(list: number, index: number, time: number, row: number): void {
    if ((list + 1) * STRIDE > this.heads.length) this.growHeads(list)
    const head = list * STRIDE
    const length = this.length(list)
    const room = this.heads[head + ROOM]
    if (room < 0) this.move(list, 0)
    else if (length === 1 << room) this.move(list, room + 1)
    const at = this.heads[head + AT] + index
    if (index < length) this.shift(at, at + length - index, at + 1)
    this.elements[at * 2] = time
    this.elements[at * 2 + 1] = row
    this.heads[head + LENGTH] = length + 1
  }

  /** Takes elements [from, to) out. An empty list costs nothing but its number. */
  remove(list: number, from: number, to: number): void {
    const head = list * STRIDE
    const at = this.heads[head + AT]
    const length = this.length(list)
    if (to < length) this.shift(at + to, at + length, at + from)
    const left = length - (to - from)
    this.heads[head + LENGTH] = left
    let room = this.heads[head + ROOM]
    if (left === 0) room = -1
    else if (left <= (1 << room) >> 2) while (left <= (1 << room) >> 1) room--
    if (room !== this.heads[head + ROOM]) this.move(list, room)
  }

  /** Gives a list another room that it fits into. */
  private move(list: number, room: number): void {
    const head = list * STRIDE
    const from = this.heads[head + AT]
    const before = this.heads[head + ROOM]
    const length = this.length(list)
    const at = room < 0 ? -1 : this.takeRoom(room)
    if (length > 0) this.shift(from, from + length, at)
    if (before >= 0) {
      while (this.spare.length <= before) this.spare.push([])
      this.spare[before].push(from)
    }
    this.heads[head + AT] = at
    this.heads[head + ROOM] = room
  }

  /** Copies elements [from, end) to where `to` is. */
  private shift(from: number, end: number, to: number): void {
    this.elements.copyWithin(to * 2, from * 2, end * 2)
  }

  private takeRoom(room: number): number {
    const spare = this.spare[room]
    if (spare !== undefined && spare.length > 0) return spare.pop()!
    const at = this.end
    this.end += 1 << room
    if (this.elements.length < this.end * 2) {
      const { elements } = this
      this.elements = new Float64Array(Math.max(this.end * 2, elements.length * 2))
      this.elements.set(elements)
    }
    return at
  }

  private growHeads(list: number): void {
    const { heads } = this
    this.heads = new Int32Array(Math.max((list + 1) * STRIDE, heads.length * 2)).fill(-1, heads.length)
    this.heads.set(heads)
  }
}
