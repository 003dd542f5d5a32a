/** What is known of a list: where it begins, how long it is, and its room as a power of two. */
const AT = 0
const LENGTH = 1
const ROOM = 2
const STRIDE = 3

/**
 * Many lists of whole numbers, most of them short, each known by a number. They lie in one typed array: a list costs 12
 * bytes and its elements, and the garbage collector has nothing to look at, however many there are.
 */
export class IntLists {
  private elements = new Int32Array(64)
  private lists = new Int32Array(16 * STRIDE)
  /** End of what has been given out of each. */
  private elementsEnd = 0
  private listsEnd = 0
  private readonly spareLists: number[] = []
  /** Rooms that were given back, by their power of two. */
  private readonly spareRooms: number[][] = []

  /** A list with one element. */
  make(element: number): number {
    const list = this.spareLists.pop() ?? this.listsEnd++
    if (this.lists.length < this.listsEnd * STRIDE) this.lists = grown(this.lists, this.listsEnd * STRIDE)
    const at = this.takeRoom(0)
    const { lists } = this
    lists[list * STRIDE + AT] = at
    lists[list * STRIDE + LENGTH] = 1
    lists[list * STRIDE + ROOM] = 0
    this.elements[at] = element
    return list
  }

  /** Gives a list back; its number is used again. */
  free(list: number): void {
    this.giveRoom(this.lists[list * STRIDE + AT], this.lists[list * STRIDE + ROOM])
    this.lists[list * STRIDE + LENGTH] = 0
    this.spareLists.push(list)
  }

  length(list: number): number {
    return this.lists[list * STRIDE + LENGTH]
  }

  get(list: number, index: number): number {
    return this.elements[this.lists[list * STRIDE + AT] + index]
  }

  set(list: number, index: number, element: number): void {
    this.elements[this.lists[list * STRIDE + AT] + index] = element
  }

  insert(list: number, index: number, element: number): void {
    const length = this.length(list)
    if (length === 1 << this.lists[list * STRIDE + ROOM]) this.move(list, this.lists[list * STRIDE + ROOM] + 1)
    const at = this.lists[list * STRIDE + AT]
    if (index < length) this.elements.copyWithin(at + index + 1, at + index, at + length)
    this.elements[at + index] = element
    this.lists[list * STRIDE + LENGTH] = length + 1
  }

  /** Takes out elements [from, to). */
  remove(list: number, from: number, to: number): void {
    const at = this.lists[list * STRIDE + AT]
    const length = this.length(list)
    if (to < length) this.elements.copyWithin(at + from, at + to, at + length)
    const left = length - (to - from)
    this.lists[list * STRIDE + LENGTH] = left
    let room = this.lists[list * STRIDE + ROOM]
    if (left > (1 << room) >> 2) return
    while (room > 0 && left <= (1 << room) >> 1) room--
    this.move(list, room)
  }

  /** Gives a list another room that it fits into. */
  private move(list: number, room: number): void {
    const from = this.lists[list * STRIDE + AT]
    const before = this.lists[list * STRIDE + ROOM]
    if (room === before) return
    const at = this.takeRoom(room)
    this.elements.copyWithin(at, from, from + this.length(list))
    this.giveRoom(from, before)
    this.lists[list * STRIDE + AT] = at
    this.lists[list * STRIDE + ROOM] = room
  }

  private takeRoom(room: number): number {
    const spare = this.spareRooms[room]
    if (spare !== undefined && spare.length > 0) return spare.pop()!
    const at = this.elementsEnd
    this.elementsEnd += 1 << room
    if (this.elements.length < this.elementsEnd) this.elements = grown(this.elements, this.elementsEnd)
    return at
  }

  private giveRoom(at: number, room: number): void {
    while (this.spareRooms.length <= room) this.spareRooms.push([])
    this.spareRooms[room].push(at)
  }
}

function grown(array: Int32Array<ArrayBuffer>, least: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(least, array.length * 2))
  larger.set(array)
  return larger
}
