import { ByteWriter } from '../serde/bytes.ts'
import type { ChangelogWriter, Entry, ValueCodec } from './store.ts'

/** The entries of a store that changed since the last commit: written once each, however often they changed. */
export interface Changes<K, A, E extends Entry<K, A> = Entry<K, A>> {
  touch(entry: E): void
  /** In the order of their first change. */
  list(): readonly E[]
  /** Takes entries out of the list whose changes have been given out; the changelog hears of them at the flush. */
  settle(isGiven: (entry: E) => boolean): void
  flush(write: ChangelogWriter): void
  writeEntry(entry: Entry<unknown, unknown>, write: ChangelogWriter): void
}

export function changes<K, A, E extends Entry<K, A> = Entry<K, A>>(
  encodeKey: (entry: E, out: ByteWriter) => void,
  values: ValueCodec<A>,
): Changes<K, A, E> {
  const keyBytes = new ByteWriter()
  const valueBytes = new ByteWriter()
  let dirty: E[] = []
  let settled: E[] = []
  const write = (entries: readonly E[], to: ChangelogWriter) => {
    for (const entry of entries) {
      entry.dirty = false
      // Made and gone between two commits: the changelog need not know.
      if (entry.value === null && !entry.logged) continue
      encodeKey(entry, keyBytes.reset())
      if (entry.value !== null) values.encode(entry.value, valueBytes.reset())
      to(keyBytes, entry.value === null ? null : valueBytes, entry.timestamp)
      entry.logged = entry.value !== null
    }
  }
  return {
    touch(entry) {
      if (entry.dirty) return
      entry.dirty = true
      dirty.push(entry)
    },
    list: () => dirty,
    settle(isGiven) {
      for (const entry of dirty) if (isGiven(entry) && (entry.value !== null || entry.logged)) settled.push(entry)
      dirty = dirty.filter((entry) => !isGiven(entry))
    },
    flush(to) {
      write(settled, to)
      write(dirty, to)
      settled = []
      dirty = []
    },
    writeEntry(of, to) {
      const entry = of as E
      if (entry.value === null) return
      encodeKey(entry, keyBytes.reset())
      values.encode(entry.value, valueBytes.reset())
      to(keyBytes, valueBytes, entry.timestamp)
    },
  }
}

/** A live entry that nobody has written yet. */
export function newEntry<K, A>(key: K, start: number, value: A, timestamp: number): Entry<K, A> {
  return { key, start, value, timestamp, dirty: false, logged: false, given: null }
}

/** An entry as the changelog says it is. */
export function restoreEntry<K, A>(entry: Entry<K, A>, value: A, timestamp: number): void {
  entry.value = value
  entry.timestamp = timestamp
  entry.logged = true
  // It was given out at the commit that wrote it; worked out from the value when somebody asks.
  entry.given = undefined
}
