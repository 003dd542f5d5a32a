import type { DiskTable } from '../../topology/disk-table.ts'
import type { KeyValueStore } from '../key-value-store.ts'
import type { Keys } from '../keys.ts'
import type { ValueCodec } from '../store.ts'
import { windowStart } from '../window-key.ts'
import type { WindowStore } from '../window-store.ts'
import { diskEntries } from './disk-entries.ts'

export interface DiskStoreOptions<K, A> {
  readonly table: DiskTable
  readonly keys: Keys<K>
  readonly values: ValueCodec<A>
  readonly cacheBytes: number
}

/** start int64 BE ‖ sequence int32 BE behind the key: see window-key.ts. */
const WINDOW_SUFFIX = 12

/** A key-value store whose entries are on disk but for those in use. */
export function diskKeyValueStore<K, A>(options: DiskStoreOptions<K, A>): KeyValueStore<K, A> {
  const { keys } = options
  const entries = diskEntries({ ...options, suffix: () => {} })
  return {
    get size() {
      return entries.size
    },
    find: (key) => entries.find(0, key),
    create: (key, value, timestamp) => entries.create(0, key, value, timestamp),
    touch: entries.touch,
    remove: entries.remove,
    changed: entries.changed,
    all: entries.all,
    entries: () => entries.range(0),
    range: (from, to) => entries.range(0, from, to),
    order: keys.text,
    flush: entries.flush,
    writeEntry: entries.writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      entries.restore(0, source.buffer.subarray(keyStart, keyEnd), source, valueStart, valueEnd, timestamp)
    },
    isCrowded: entries.isCrowded,
    close: entries.close,
  }
}

/** A window store whose entries are on disk but for those in use. */
export function diskWindowStore<K, A>(options: DiskStoreOptions<K, A>): WindowStore<K, A> {
  const entries = diskEntries({
    ...options,
    suffix(start, out) {
      out.int64(start)
      out.int32(0)
    },
  })
  return {
    get size() {
      return entries.size
    },
    find: entries.find,
    create: entries.create,
    touch: entries.touch,
    remove: entries.remove,
    changed: entries.changed,
    starts: entries.starts,
    entries: (start) => entries.each(start),
    forget: entries.forget,
    all: entries.all,
    flush: entries.flush,
    writeEntry: entries.writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      const key = source.buffer.subarray(keyStart, keyEnd - WINDOW_SUFFIX)
      entries.restore(windowStart(source, keyEnd), key, source, valueStart, valueEnd, timestamp)
    },
    isCrowded: entries.isCrowded,
    close: entries.close,
  }
}
