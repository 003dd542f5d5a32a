import type { AggregateRow } from '../aggregates/row.ts'
import { SlotList } from './slot-list.ts'

const DIRTY = 1
const LOGGED = 2
const DELETED = 4

/** What stands before the accumulator of a row. */
const START = 0
const TIMESTAMP = 1
const FLAGS = 2
const HEAD = 3

const BLOCK_BITS = 10
const BLOCK_ROWS = 1 << BLOCK_BITS

/**
 * Entries as rows of doubles in blocks, known by the number of their row: start, time of the newest record, flags, then the
 * accumulator. Rows lie together, so that an update misses the cache once; blocks never move, and rows that are given back
 * are used again.
 *
 * A class, and its methods without closures: however many stores there are, V8 compiles them once.
 */
export class Rows<K> {
  private readonly width: number
  private readonly stride: number
  private readonly blocks: Float64Array[] = []
  private readonly keys: (K | undefined)[] = []
  /** What identifies the keys that are objects. */
  private readonly ids: string[] = []
  private readonly spare = new SlotList()

  constructor({ width }: Pick<AggregateRow, 'width'>) {
    this.width = width
    this.stride = HEAD + width
  }

  /** The block that holds a row, and where its accumulator is in there. */
  block(slot: number): Float64Array {
    return this.blocks[slot >> BLOCK_BITS]
  }

  at(slot: number): number {
    return this.first(slot) + HEAD
  }

  /** A row with a copy of an accumulator, clean and not logged. `id` is what identifies the key in a Map. */
  take(key: K, id: unknown, start: number, timestamp: number, accumulator: Float64Array): number {
    const slot = this.spare.length > 0 ? this.spare.pop() : this.extend()
    this.keys[slot] = key
    if (typeof key === 'object') this.ids[slot] = id as string
    const block = this.block(slot)
    const at = this.first(slot)
    block[at + START] = start
    block[at + TIMESTAMP] = timestamp
    block[at + FLAGS] = 0
    for (let i = 0; i < this.width; i++) block[at + HEAD + i] = accumulator[i]
    return slot
  }

  /** Gives a row back. */
  free(slot: number): void {
    this.keys[slot] = undefined
    this.spare.push(slot)
  }

  key(slot: number): K {
    return this.keys[slot] as K
  }

  /** Whether its key is the one that is identified so. */
  holds(slot: number, id: unknown): boolean {
    const key: unknown = this.keys[slot]
    if (key === id) return true
    return typeof key === 'object' ? this.ids[slot] === id : Number.isNaN(key) && Number.isNaN(id)
  }

  start(slot: number): number {
    return this.block(slot)[this.first(slot) + START]
  }

  timestamp(slot: number): number {
    return this.block(slot)[this.first(slot) + TIMESTAMP]
  }

  setTimestamp(slot: number, timestamp: number): void {
    this.block(slot)[this.first(slot) + TIMESTAMP] = timestamp
  }

  /** The newest of its records: moves the time on, never back. */
  reach(slot: number, timestamp: number): void {
    const block = this.block(slot)
    const at = this.first(slot) + TIMESTAMP
    if (timestamp > block[at]) block[at] = timestamp
  }

  /** True when it was clean before. */
  soil(slot: number): boolean {
    const flags = this.flags(slot)
    if (flags & DIRTY) return false
    this.setFlags(slot, flags | DIRTY)
    return true
  }

  /** What the changelog has now been told: that it is there, or not any more. */
  settle(slot: number, logged: boolean): void {
    this.setFlags(slot, (this.flags(slot) & DELETED) | (logged ? LOGGED : 0))
  }

  setLogged(slot: number): void {
    this.setFlags(slot, this.flags(slot) | LOGGED)
  }

  isDirty(slot: number): boolean {
    return (this.flags(slot) & DIRTY) !== 0
  }

  isLogged(slot: number): boolean {
    return (this.flags(slot) & LOGGED) !== 0
  }

  isDeleted(slot: number): boolean {
    return (this.flags(slot) & DELETED) !== 0
  }

  remove(slot: number): void {
    this.setFlags(slot, this.flags(slot) | DELETED)
  }

  private extend(): number {
    const slot = this.keys.length
    if ((slot & (BLOCK_ROWS - 1)) === 0) this.blocks.push(new Float64Array(BLOCK_ROWS * this.stride))
    this.keys.push(undefined)
    return slot
  }

  private first(slot: number): number {
    return (slot & (BLOCK_ROWS - 1)) * this.stride
  }

  private flags(slot: number): number {
    return this.block(slot)[this.first(slot) + FLAGS] | 0
  }

  private setFlags(slot: number, to: number): void {
    this.block(slot)[this.first(slot) + FLAGS] = to
  }
}
