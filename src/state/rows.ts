import type { AggregateRow } from '../aggregates/row.ts'

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
 */
export interface Rows<K> {
  /** The block that holds a row, and where its accumulator is in there. */
  block(slot: number): Float64Array
  at(slot: number): number
  /** A row with a copy of an accumulator, clean and not logged. */
  take(key: K, start: number, timestamp: number, accumulator: Float64Array): number
  /** Gives a row back. */
  free(slot: number): void
  key(slot: number): K
  start(slot: number): number
  timestamp(slot: number): number
  setTimestamp(slot: number, timestamp: number): void
  /** The newest of its records: moves the time on, never back. */
  reach(slot: number, timestamp: number): void
  /** True when it was clean before. */
  soil(slot: number): boolean
  clean(slot: number): void
  isDirty(slot: number): boolean
  isLogged(slot: number): boolean
  setLogged(slot: number, logged: boolean): void
  isDeleted(slot: number): boolean
  remove(slot: number): void
}

export function rows<K>({ width }: Pick<AggregateRow, 'width'>): Rows<K> {
  const stride = HEAD + width
  const blocks: Float64Array[] = []
  const keys: (K | undefined)[] = []
  const spare: number[] = []

  const block = (slot: number) => blocks[slot >> BLOCK_BITS]
  const first = (slot: number) => (slot & (BLOCK_ROWS - 1)) * stride
  const field = (slot: number, of: number) => block(slot)[first(slot) + of]
  const flags = (slot: number) => field(slot, FLAGS) | 0
  const setFlags = (slot: number, to: number) => {
    block(slot)[first(slot) + FLAGS] = to
  }

  return {
    block,
    at: (slot) => first(slot) + HEAD,
    take(key, start, timestamp, accumulator) {
      let slot = spare.pop()
      if (slot === undefined) {
        slot = keys.length
        if ((slot & (BLOCK_ROWS - 1)) === 0) blocks.push(new Float64Array(BLOCK_ROWS * stride))
        keys.push(key)
      } else keys[slot] = key
      const in_ = block(slot)
      const at = first(slot)
      in_[at + START] = start
      in_[at + TIMESTAMP] = timestamp
      in_[at + FLAGS] = 0
      for (let i = 0; i < width; i++) in_[at + HEAD + i] = accumulator[i]
      return slot
    },
    free(slot) {
      keys[slot] = undefined
      spare.push(slot)
    },
    key: (slot) => keys[slot]!,
    start: (slot) => field(slot, START),
    timestamp: (slot) => field(slot, TIMESTAMP),
    setTimestamp(slot, timestamp) {
      block(slot)[first(slot) + TIMESTAMP] = timestamp
    },
    reach(slot, timestamp) {
      const at = first(slot) + TIMESTAMP
      const of = block(slot)
      if (timestamp > of[at]) of[at] = timestamp
    },
    soil(slot) {
      const before = flags(slot)
      if (before & DIRTY) return false
      setFlags(slot, before | DIRTY)
      return true
    },
    clean: (slot) => setFlags(slot, flags(slot) & ~DIRTY),
    isDirty: (slot) => (flags(slot) & DIRTY) !== 0,
    isLogged: (slot) => (flags(slot) & LOGGED) !== 0,
    setLogged: (slot, logged) => setFlags(slot, logged ? flags(slot) | LOGGED : flags(slot) & ~LOGGED),
    isDeleted: (slot) => (flags(slot) & DELETED) !== 0,
    remove: (slot) => setFlags(slot, flags(slot) | DELETED),
  }
}
