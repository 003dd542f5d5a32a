import { ByteWriter, byteSource, readInt64 } from '../../serde/bytes.ts'
import type { TimelinePlace, TimelineRow, TimelineTable } from '../../topology/disk-table.ts'
import type { Keys } from '../keys.ts'
import type { ChangelogWriter, Entry, StateStore, ValueCodec } from '../store.ts'
import { budget } from './budget.ts'

/** How many rows are read at once. */
const PAGE = 1_000

/** A store in memory that can let go of what is on disk. */
export interface Pageable<K> extends StateStore {
  /**
   * Forgets what it has of a key with from <= time <= to, as if it had never been there; nothing of it is changed since the
   * last flush. Without this, a store lets go of everything at once.
   */
  unload?(key: K, from: number, to: number): void
}

export interface PagedOptions<K, S> {
  readonly table: TimelineTable
  readonly keys: Keys<K>
  /** Tells at once when a value cannot be decoded yet. */
  readonly values: Pick<ValueCodec<unknown>, 'decode'>
  readonly cacheBytes: number
  /** An empty store in memory. */
  readonly make: () => S
  /** Bytes behind the time in the changelog's key: 4, a sequence, or 8, another time. */
  readonly rest: 4 | 8
  /** What of a key is loaded together, in ms of its time; default: all of it. */
  readonly span?: number
}

/**
 * Most of a store on disk, and the keys in use in a store in memory, which does the work. A key is loaded when it is first
 * asked for, as from a changelog; what a commit writes to the changelog goes to the disk, too; and then the store lets go of
 * keys when it has grown above its budget. So what a store does is written once, and is the same on disk.
 */
export interface Paged<K, S> {
  /** Holds what was needed since the last flush, and perhaps more. */
  readonly memory: S
  readonly size: number
  /** Makes sure that what there is of a key in this time is in memory. */
  need(key: K, from?: number, to?: number): void
  /** The same for what has from <= time <= to of any key; returns the keys. */
  needBetween(from: number, to: number): K[]
  /** What is older, and not in memory, goes at the next flush without being looked at. */
  expire(before: number): void
  flush(write: ChangelogWriter): void
  restore: StateStore['restore']
  isCrowded(): boolean
  /** What `of` says that a store holds, of all keys. */
  entries(of: (store: S) => Iterable<Entry<unknown, unknown>>): Iterable<Entry<unknown, unknown>>
}

interface Page<K> {
  readonly key: K
  /** Number of the flush before which it was last asked for. */
  used: number
}

export function paged<K, S extends Pageable<K>>(options: PagedOptions<K, S>): Paged<K, S> {
  const { table, keys, values, make, rest, span } = options
  const room = budget(options.cacheBytes)
  const suffix = 8 + rest
  const keyBytes = new ByteWriter()
  let memory = make()
  /** What is in memory: by slot of time, then key. One slot where keys are loaded whole. */
  const slots = new Map<number, Map<unknown, Page<K>>>()
  let pages = 0
  let round = 0
  let expired = Number.NEGATIVE_INFINITY
  /** Rows that had expired when their key was loaded. */
  let left: TimelinePlace[] = []
  /** Rows on disk of what is in memory, and of what is not; undefined: not counted yet. */
  let loadedRows = 0
  let coldRows: number | undefined = 0

  const slotOf = (time: number) => (span === undefined ? 0 : Math.floor(time / span))
  const startOf = (slot: number) => (span === undefined ? Number.NEGATIVE_INFINITY : slot * span)
  const endOf = (slot: number) => (span === undefined ? Number.POSITIVE_INFINITY : (slot + 1) * span - 1)
  const isLoaded = ({ key, time }: TimelinePlace) =>
    slots.get(slotOf(time))?.has(keys.identity(keys.decode(key))) === true

  const placeOf = (key: Uint8Array, view: DataView, at: number): TimelinePlace => ({
    key,
    time: readInt64(view, at),
    sequence: rest === 4 ? view.getInt32(at + 8) : readInt64(view, at + 8),
  })
  /** As the changelog has it: see window-key.ts and store-keys.ts. */
  const encode = ({ key, time, sequence }: TimelinePlace, out: ByteWriter) => {
    out.raw(key)
    out.int64(time)
    if (rest === 4) out.int32(sequence)
    else out.int64(sequence)
  }
  const put = (store: S, rows: readonly TimelineRow[]) => {
    let bytes = 0
    for (const { key, value } of rows) bytes += key.length + suffix + value.length
    // A buffer of their own: values may keep it.
    const out = new ByteWriter(bytes)
    for (const row of rows) {
      encode(row, out)
      out.raw(row.value)
    }
    const source = byteSource(out.bytes())
    let at = 0
    for (const { key, value, timestamp } of rows) {
      const keyEnd = at + key.length + suffix
      const end = keyEnd + value.length
      store.restore(source, at, keyEnd, keyEnd, end, timestamp)
      at = end
    }
    room.saw(bytes, rows.length)
  }
  const load = (key: K, slot: number) => {
    keys.encode(key, keyBytes.reset())
    const rows = table.range(keyBytes.bytes(), startOf(slot), endOf(slot))
    const kept = keys.keep(key)
    let inSlot = slots.get(slot)
    if (inSlot === undefined) slots.set(slot, (inSlot = new Map()))
    inSlot.set(keys.identity(kept), { key: kept, used: round })
    pages++
    if (rows.length === 0) return
    const live = rows.filter((row) => row.time >= expired)
    if (live.length < rows.length) left.push(...rows.filter((row) => row.time < expired))
    if (live.length > 0) put(memory, live)
    loadedRows += rows.length
    if (coldRows !== undefined) coldRows -= rows.length
  }
  const need = (key: K, from = 0, to = from) => {
    const last = slotOf(to)
    for (let slot = slotOf(from); slot <= last; slot++) {
      const page = slots.get(slot)?.get(keys.identity(key))
      if (page === undefined) load(key, slot)
      else page.used = round
    }
  }
  function* places(from: number, to: number): Generator<TimelinePlace> {
    let page = table.between(from, to, undefined, PAGE)
    while (page.length > 0) {
      yield* page
      page = page.length < PAGE ? [] : table.between(from, to, page.at(-1), PAGE)
    }
  }
  const dropExpired = (write: ChangelogWriter) => {
    const drop = (place: TimelinePlace) => {
      encode(place, keyBytes.reset())
      write(keyBytes, null, place.time)
      table.delete(place)
    }
    for (const place of left) drop(place)
    left = []
    if (expired === Number.NEGATIVE_INFINITY) return
    for (const place of places(Number.NEGATIVE_INFINITY, expired - 1)) {
      // What is in memory expires there.
      if (isLoaded(place)) continue
      drop(place)
      if (coldRows !== undefined) coldRows--
    }
    expired = Number.NEGATIVE_INFINITY
  }
  const unload = (which: (page: Page<K>) => boolean) => {
    for (const [slot, inSlot] of slots) {
      for (const [identity, page] of inSlot) {
        if (!room.isExceeded(memory.size, pages)) return
        if (!which(page)) continue
        memory.unload!(page.key, startOf(slot), endOf(slot))
        inSlot.delete(identity)
        pages--
      }
      if (inSlot.size === 0) slots.delete(slot)
    }
  }
  const unloadAll = () => {
    if (memory.unload === undefined) memory = make()
    else {
      for (const [slot, inSlot] of slots) {
        for (const { key } of inSlot.values()) memory.unload(key, startOf(slot), endOf(slot))
      }
    }
    slots.clear()
    pages = 0
  }
  /** First what was not asked for since the last commit. */
  const letGo = () => {
    const before = memory.size
    if (room.isExceeded(before, pages)) {
      if (memory.unload === undefined) unloadAll()
      else {
        unload(({ used }) => used < round)
        unload(() => true)
      }
    }
    loadedRows = memory.size
    if (coldRows !== undefined) coldRows += before - loadedRows
  }

  return {
    get memory() {
      return memory
    },
    get size() {
      coldRows ??= table.count() - loadedRows
      let gone = 0
      if (expired > Number.NEGATIVE_INFINITY) {
        for (const place of places(Number.NEGATIVE_INFINITY, expired - 1)) if (!isLoaded(place)) gone++
      }
      return memory.size + coldRows - gone
    },
    need,
    needBetween(from, to) {
      const found = new Map<unknown, K>()
      for (const { key: bytes, time } of places(from, to)) {
        const key = keys.decode(bytes)
        need(key, time)
        found.set(keys.identity(key), key)
      }
      return [...found.values()]
    },
    expire(before) {
      if (before > expired) expired = before
    },
    flush(write) {
      dropExpired(write)
      memory.flush((key, value, timestamp) => {
        write(key, value, timestamp)
        const at = key.position - suffix
        const place = placeOf(key.buffer.subarray(0, at), key.view, at)
        if (value === null) return table.delete(place)
        table.set(place, value.bytes(), timestamp)
        room.saw(key.position + value.position, 1)
      })
      letGo()
      round++
    },
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      // Somebody has asked while it was restored.
      if (pages > 0) unloadAll()
      loadedRows = 0
      coldRows = undefined
      const { buffer, view } = source
      const at = keyEnd - suffix
      const place = placeOf(buffer.subarray(keyStart, at), view, at)
      if (valueStart < 0) return table.delete(place)
      // A schema that is not loaded yet must show now, not when the value is found in mid-record.
      values.decode(source, valueStart, valueEnd)
      table.set(place, buffer.subarray(valueStart, valueEnd), timestamp)
    },
    isCrowded: () => room.isCrowded(memory.size, pages),
    *entries(of) {
      const nameOf = (slot: number, key: string) => `${slot} ${key}`
      // What is in memory is given first: it may be let go of meanwhile, and then its rows are not given once more.
      const given = new Set<string>()
      for (const [slot, inSlot] of slots) {
        for (const { key } of inSlot.values()) given.add(nameOf(slot, keys.text(key)))
      }
      yield* [...of(memory)]
      const isDue = ({ key, time }: TimelineRow) =>
        time >= expired && !given.has(nameOf(slotOf(time), Buffer.from(key).latin1Slice(0, key.length)))
      let waiting: TimelineRow[] = []
      for (let page = table.after(undefined, PAGE); page.length > 0; page = table.after(page.at(-1), PAGE)) {
        waiting.push(...page)
        // The rows of the last key may go on in the next page.
        const last = waiting.at(-1)!.key
        const end =
          page.length < PAGE ? waiting.length : waiting.findIndex(({ key }) => Buffer.compare(key, last) === 0)
        const whole = waiting.slice(0, end).filter(isDue)
        waiting = waiting.slice(end)
        const scratch = make()
        put(scratch, whole)
        yield* of(scratch)
      }
      const scratch = make()
      put(scratch, waiting.filter(isDue))
      yield* of(scratch)
    },
  }
}
