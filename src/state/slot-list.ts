const FIRST = 64

/**
 * Numbers of rows, one behind the other. An array that is filled and thrown away between two commits leaves several times its
 * length as garbage in the old generation; this one stays as long as it has been.
 */
export class SlotList {
  length = 0
  private slots = new Int32Array(FIRST)

  at(index: number): number {
    return this.slots[index]
  }

  push(slot: number): void {
    if (this.length === this.slots.length) {
      const { slots } = this
      this.slots = new Int32Array(2 * slots.length)
      this.slots.set(slots)
    }
    this.slots[this.length++] = slot
  }

  /** The last one, which there must be. */
  pop(): number {
    return this.slots[--this.length]
  }

  clear(): void {
    this.length = 0
  }

  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.length; i++) yield this.slots[i]
  }
}
