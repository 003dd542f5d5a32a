/** A slot is half a cache line: hash, number + 1 (0: empty), then 23 bytes of text and its length. */
const WORDS = 8
const HASH = 0
const NUMBER = 1
const TEXT = 2
const LONGEST = 23
const LEAST_SLOTS = 16

/** Whoever chooses the keys cannot choose which of them collide. */
const SEED = (Math.random() * 0x1_0000_0000) | 0

/** Whether a text fits into a slot: ASCII, 23 characters at most. */
export function isShort(text: string): boolean {
  if (text.length > LONGEST) return false
  let bits = 0
  for (let i = 0; i < text.length; i++) bits |= text.charCodeAt(i)
  return bits < 128
}

/**
 * Numbers of short texts, in one typed array with the texts themselves: to find one misses the cache once, where a Map misses
 * it for its bucket, its entry and the string, and the garbage collector has nothing to look at.
 */
export class ShortKeys {
  private slots = new Int32Array(LEAST_SLOTS * WORDS)
  private mask = LEAST_SLOTS - 1
  private count = 0
  /** By number. */
  private hashes = new Int32Array(LEAST_SLOTS)
  /** The text that is looked for, as in a slot. */
  private readonly words = new Int32Array(WORDS)

  /** -1: it is not there. */
  find(text: string): number {
    const hash = this.pack(text)
    const { slots, mask, words } = this
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WORDS
      const number = slots[at + NUMBER]
      if (number === 0) return -1
      if (slots[at] !== hash) continue
      let i = TEXT
      while (i < WORDS && slots[at + i] === words[i]) i++
      if (i === WORDS) return number - 1
    }
  }

  /** Adds a text that is not there. */
  add(text: string, number: number): void {
    if (++this.count > (this.mask + 1) >> 1) this.resize((this.mask + 1) << 1)
    if (number >= this.hashes.length) {
      const { hashes } = this
      this.hashes = new Int32Array(Math.max(number + 1, hashes.length * 2))
      this.hashes.set(hashes)
    }
    const { words } = this
    words[HASH] = this.hashes[number] = this.pack(text)
    words[NUMBER] = number + 1
    this.place(words, 0)
  }

  delete(number: number): void {
    const { slots, mask } = this
    let hole = this.hashes[number] & mask
    while (slots[hole * WORDS + NUMBER] !== number + 1) hole = (hole + 1) & mask
    // What has been pushed on by others moves up, so that no search ends at the hole.
    for (let next = (hole + 1) & mask; slots[next * WORDS + NUMBER] !== 0; next = (next + 1) & mask) {
      const home = slots[next * WORDS + HASH] & mask
      if (((next - home) & mask) < ((next - hole) & mask)) continue
      slots.copyWithin(hole * WORDS, next * WORDS, (next + 1) * WORDS)
      hole = next
    }
    slots[hole * WORDS + NUMBER] = 0
    if (--this.count < (mask + 1) >> 3 && mask >= LEAST_SLOTS) this.resize((mask + 1) >> 1)
  }

  /** Lays a text open in `words`; gives its hash. */
  private pack(text: string): number {
    const { words } = this
    const { length } = text
    let hash = SEED
    let i = 0
    for (let word = TEXT; word < WORDS; word++) {
      let bits = word === WORDS - 1 ? length << 24 : 0
      for (let shift = 0; shift < 32 && i < length; shift += 8) bits |= text.charCodeAt(i++) << shift
      words[word] = bits
      hash = Math.imul(hash ^ bits, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    return hash
  }

  private place(from: Int32Array, at: number): void {
    const { slots, mask } = this
    let slot = from[at + HASH] & mask
    while (slots[slot * WORDS + NUMBER] !== 0) slot = (slot + 1) & mask
    for (let i = 0; i < WORDS; i++) slots[slot * WORDS + i] = from[at + i]
  }

  private resize(size: number): void {
    const { slots } = this
    this.slots = new Int32Array(size * WORDS)
    this.mask = size - 1
    for (let at = 0; at < slots.length; at += WORDS) if (slots[at + NUMBER] !== 0) this.place(slots, at)
  }
}
