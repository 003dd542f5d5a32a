import { type ByteSource, ByteWriter, byteSource } from '../../serde/bytes.ts'
import type { DiskRow, DiskTable } from '../../topology/disk-table.ts'
import { newEntry } from '../changes.ts'
import type { Keys } from '../keys.ts'
import type { ChangelogWriter, Entry, ValueCodec } from '../store.ts'
import { budget } from './budget.ts'

/** How many rows are read at once. */
const PAGE = 1_000

const NO_BYTES = new Uint8Array(0)

/** Entries by start and key: most of them on disk, those in use in memory. */
export interface DiskEntries<K, A> {
  readonly size: number
  find(start: number, key: K): Entry<K, A> | undefined
  create(start: number, key: K, value: A, timestamp: number): Entry<K, A>
  touch(entry: Entry<K, A>): void
  remove(entry: Entry<K, A>): void
  changed(): readonly Entry<K, A>[]
  starts(): readonly number[]
  /** Those of one start from key `from` to `to`, by serialised key; they are in memory from then on. */
  range(start: number, from?: K, to?: K): Entry<K, A>[]
  /** All of one start, or those whose serialised key begins with `prefix`, by serialised key; read page by page. */
  each(start: number, prefix?: Uint8Array): Iterable<Entry<K, A>>
  forget(start: number): void
  all(): Iterable<Entry<K, A>>
  flush(write: ChangelogWriter): void
  writeEntry(entry: Entry<unknown, unknown>, write: ChangelogWriter): void
  /** A record of the changelog; `valueStart` -1 deletes. Throws as decoding it does. */
  restore(
    start: number,
    key: Uint8Array,
    source: ByteSource,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
  ): void
  isCrowded(): boolean
  close(): void
}

export interface DiskEntriesOptions<K, A> {
  readonly table: DiskTable
  readonly keys: Keys<K>
  readonly values: ValueCodec<A>
  /** The key on the changelog, behind the serialised key. */
  readonly suffix: (start: number, out: ByteWriter) => void
  readonly cacheBytes: number
}

/**
 * A write-back cache over a table. Between two commits entries are objects in memory, as in the stores that hold
 * everything there; a commit writes those that changed, and then lets go of the oldest above the limit.
 */
export function diskEntries<K, A>(options: DiskEntriesOptions<K, A>): DiskEntries<K, A> {
  const { table, keys, values, suffix } = options
  const room = budget(options.cacheBytes)
  const cache = new Map<number, Map<unknown, Entry<K, A>>>()
  const keyBytes = new ByteWriter()
  const valueBytes = new ByteWriter()
  /** Starts whose rows go at the next flush, without being looked at before. */
  const forgotten = new Set<number>()
  let dirty: Entry<K, A>[] = []
  /** Those among them that are not on disk as they are. */
  const unwritten = new Set<Entry<K, A>>()
  let cached = 0
  let counts: Map<number, number> | undefined

  const encoded = (key: K): Uint8Array => {
    keys.encode(key, keyBytes.reset())
    return keyBytes.bytes()
  }
  const countsNow = () => (counts ??= table.counts())
  const count = (start: number, change: number) => {
    const now = (countsNow().get(start) ?? 0) + change
    if (now > 0) counts!.set(start, now)
    else counts!.delete(start)
  }
  const keep = (entry: Entry<K, A>): Entry<K, A> => {
    let entries = cache.get(entry.start)
    if (entries === undefined) cache.set(entry.start, (entries = new Map()))
    const identity = keys.identity(entry.key)
    if (!entries.has(identity)) cached++
    entries.set(identity, entry)
    return entry
  }
  const inMemory = (start: number, key: K) => cache.get(start)?.get(keys.identity(key))
  const entryOf = ({ start, key, value, timestamp }: DiskRow, known?: K): Entry<K, A> => {
    const of = known === undefined ? keys.decode(key) : keys.keep(known)
    const entry = newEntry<K, A>(of, start, values.decode(byteSource(value), 0, value.length), timestamp)
    entry.logged = true
    entry.given = undefined
    room.saw(key.length + value.length, 1)
    return entry
  }
  const touch = (entry: Entry<K, A>) => {
    unwritten.add(entry)
    if (entry.dirty) return
    entry.dirty = true
    dirty.push(entry)
  }
  const onDisk = (entry: Entry<K, A>) => {
    const key = encoded(entry.key)
    if (entry.value !== null) values.encode(entry.value, valueBytes.reset())
    if (!unwritten.delete(entry)) return
    if (entry.value === null) return table.delete(entry.start, key)
    table.set(entry.start, key, valueBytes.bytes(), entry.timestamp)
    room.saw(key.length + valueBytes.position, 1)
  }
  /** What has changed goes to the disk, so that the rows are all there in their order. */
  const writeDown = (start: number) => {
    recall(start)
    for (const entry of unwritten) if (entry.start === start) onDisk(entry)
  }
  /** A start that was forgotten and is used again before the flush: its rows go one by one after all. */
  const recall = (start: number) => {
    if (!forgotten.delete(start)) return
    for (const row of rowsOf(start)) {
      const entry = inMemory(start, keys.decode(row.key)) ?? keep(entryOf(row))
      entry.value = null
      touch(entry)
    }
  }
  function* rows(): Generator<DiskRow> {
    for (let page = table.after(undefined, PAGE); page.length > 0; page = table.after(page.at(-1), PAGE)) yield* page
  }
  function* rowsOf(start: number, prefix: Uint8Array = NO_BYTES): Generator<DiskRow> {
    const first = table.get(start, prefix)
    if (first) yield first
    let last: Pick<DiskRow, 'start' | 'key'> = { start, key: prefix }
    for (;;) {
      const page = table.after(last, PAGE)
      for (const row of page) {
        if (row.start !== start || Buffer.compare(row.key.subarray(0, prefix.length), prefix) !== 0) return
        yield row
      }
      if (page.length < PAGE) return
      last = page[PAGE - 1]
    }
  }
  /** What is not written yet has no bytes: the newest tells how large the others may be. */
  const sample = () => {
    const newest = dirty.at(-1)
    if (newest === undefined || newest.value === null) return
    try {
      values.encode(newest.value, valueBytes.reset())
      room.saw(valueBytes.position, 1)
    } catch {
      // The commit says what is wrong with it.
    }
  }
  const letGo = () => {
    for (const [start, entries] of cache) {
      if (!room.isExceeded(cached, cache.size)) return
      for (const identity of entries.keys()) {
        entries.delete(identity)
        cached--
        if (!room.isExceeded(cached, cache.size)) break
      }
      if (entries.size === 0) cache.delete(start)
    }
  }

  return {
    get size() {
      let size = 0
      for (const n of countsNow().values()) size += n
      return size
    },
    find(start, key) {
      const known = inMemory(start, key)
      if (known !== undefined) return known.value === null ? undefined : known
      if (forgotten.has(start)) return undefined
      const row = table.get(start, encoded(key))
      return row && keep(entryOf(row, key))
    },
    create(start, key, value, timestamp) {
      recall(start)
      count(start, 1)
      return keep(newEntry(keys.keep(key), start, value, timestamp))
    },
    touch,
    remove(entry) {
      entry.value = null
      count(entry.start, -1)
      touch(entry)
    },
    changed: () => dirty,
    starts: () => [...countsNow().keys()].sort((a, b) => a - b),
    range(start, from, to) {
      writeDown(start)
      const bound = (key: K | undefined) => (key === undefined ? undefined : Uint8Array.from(encoded(key)))
      return table.range(start, bound(from), bound(to)).map((row) => {
        const key = keys.decode(row.key)
        return inMemory(start, key) ?? keep(entryOf(row, key))
      })
    },
    *each(start, prefix) {
      writeDown(start)
      for (const row of rowsOf(start, prefix && Uint8Array.from(prefix))) {
        yield inMemory(start, keys.decode(row.key)) ?? entryOf(row)
      }
    },
    forget(start) {
      const entries = cache.get(start)
      for (const entry of entries?.values() ?? []) entry.value = null
      cached -= entries?.size ?? 0
      cache.delete(start)
      countsNow().delete(start)
      forgotten.add(start)
    },
    *all() {
      const seen = new Set<Entry<K, A>>()
      for (const row of rows()) {
        const known = inMemory(row.start, keys.decode(row.key))
        if (known) seen.add(known)
        if (known?.value === null || forgotten.has(row.start)) continue
        yield known ?? entryOf(row)
      }
      for (const entries of cache.values()) {
        for (const entry of entries.values()) if (entry.value !== null && !seen.has(entry)) yield entry
      }
    },
    flush(write) {
      for (const start of forgotten) {
        for (const { key, timestamp } of rowsOf(start)) {
          keyBytes.reset().raw(key)
          suffix(start, keyBytes)
          write(keyBytes, null, timestamp)
        }
        table.deleteAll(start)
      }
      for (const entry of dirty) {
        entry.dirty = false
        const { start, value, timestamp } = entry
        // Its rows have just gone.
        if (forgotten.has(start)) continue
        onDisk(entry)
        if (value === null && !entry.logged) continue
        keys.encode(entry.key, keyBytes.reset())
        suffix(start, keyBytes)
        write(keyBytes, value === null ? null : valueBytes, timestamp)
        entry.logged = value !== null
        if (value === null && inMemory(start, entry.key) === entry) {
          cache.get(start)!.delete(keys.identity(entry.key))
          cached--
        }
      }
      dirty = []
      unwritten.clear()
      forgotten.clear()
      letGo()
    },
    writeEntry(of, write) {
      const { key, start, value, timestamp } = of as Entry<K, A>
      if (value === null) return
      keys.encode(key, keyBytes.reset())
      suffix(start, keyBytes)
      values.encode(value, valueBytes.reset())
      write(keyBytes, valueBytes, timestamp)
    },
    restore(start, key, source, valueStart, valueEnd, timestamp) {
      counts = undefined
      // What is in use comes from before: of a task that ran here. Nothing of it has changed since its last commit.
      if (cached > 0) {
        cache.clear()
        cached = 0
      }
      if (valueStart < 0) return table.delete(start, key)
      // A schema that is not loaded yet must show now, not when the value is found in mid-record.
      values.decode(source, valueStart, valueEnd)
      table.set(start, key, source.buffer.subarray(valueStart, valueEnd), timestamp)
    },
    isCrowded() {
      sample()
      return room.isCrowded(cached, cache.size)
    },
    close: () => table.close(),
  }
}
