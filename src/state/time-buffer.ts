import type { Serde } from '../serde/serde.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import { changes, restoreEntry } from './changes.ts'
import { pagedTimeBuffer } from './disk/paged-time-buffer.ts'
import { type Keys, keysOf } from './keys.ts'
import { minHeap } from './min-heap.ts'
import {
  encodeSequencedKey,
  firstSequencedAt,
  nextEntry,
  type SequencedEntry,
  sequenced,
  sequenceOf,
} from './sequenced.ts'
import { type StateStore, serdeValue, type ValueCodec } from './store.ts'
import { innerKey, windowStart } from './window-key.ts'

/** Records that wait until time has passed them, duplicates kept: what a join holds back. */
export interface TimeBuffer<K, V> extends StateStore {
  add(key: K, timestamp: number, value: V): void
  /** Takes out every record of a key with this very timestamp. */
  remove(key: K, timestamp: number): void
  /** No record is older than this; `Infinity` when there is none. */
  readonly oldest: number
  /** Takes out the records older than `before`, in the order (timestamp, serialised key, arrival). */
  take(before: number): readonly Taken<K, V>[]
}

export interface Taken<K, V> {
  readonly key: K
  readonly timestamp: number
  readonly value: V
}

export interface TimeBufferOptions<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  readonly parameters?: Readonly<Record<string, unknown>>
}

export function timeBuffer<K, V>(options: TimeBufferOptions<K, V>): StoreSpec<TimeBuffer<K, V>> {
  return {
    name: options.name,
    kind: 'time-buffer',
    parameters: options.parameters ?? {},
    changelog: true,
    create(environment) {
      const { disk } = environment
      const keys = keysOf(environment.open(options.key, 'key'))
      const values = serdeValue(options.value)(environment)
      const make = () => memoryTimeBuffer(keys, values)
      return disk ? pagedTimeBuffer({ disk, keys, values, make }) : make()
    },
  }
}

const NOTHING: readonly never[] = []

function memoryTimeBuffer<K, V>(keys: Keys<K>, values: ValueCodec<V>): TimeBuffer<K, V> {
  // A time stays here, empty, until the heap gives it out; one that a restore has emptied may be in the heap twice.
  const byTime = new Map<number, Map<unknown, SequencedEntry<K, V>[]>>()
  const times = minHeap()
  const { touch, flush, writeEntry } = changes<K, V, SequencedEntry<K, V>>(
    (entry, out) => encodeSequencedKey(keys, entry, out),
    values,
  )
  let size = 0

  const listFor = (key: K, timestamp: number): SequencedEntry<K, V>[] => {
    let records = byTime.get(timestamp)
    if (records === undefined) {
      byTime.set(timestamp, (records = new Map()))
      times.push(timestamp)
    }
    const identity = keys.identity(key)
    let list = records.get(identity)
    if (list === undefined) {
      list = []
      records.set(typeof identity === 'string' ? keys.keep(identity as K) : identity, list)
    }
    return list
  }
  /** A standby never takes anything out: what the changelog has deleted leaves nothing behind. */
  const forgetList = (key: K, timestamp: number) => {
    const records = byTime.get(timestamp)!
    records.delete(keys.identity(key))
    if (records.size === 0) byTime.delete(timestamp)
    while (times.peek() < Number.POSITIVE_INFINITY && !byTime.has(times.peek())) times.pop()
  }
  const forget = (entry: SequencedEntry<K, V>) => {
    entry.value = null
    if (entry.logged) touch(entry)
    size--
  }

  return {
    get size() {
      return size
    },
    get oldest() {
      return times.peek()
    },
    add(key, timestamp, value) {
      const list = listFor(key, timestamp)
      const entry = nextEntry(keys, key, timestamp, value, list.at(-1))
      list.push(entry)
      size++
      touch(entry)
    },
    remove(key, timestamp) {
      const records = byTime.get(timestamp)
      if (records === undefined) return
      const identity = keys.identity(key)
      for (const entry of records.get(identity) ?? NOTHING) forget(entry)
      records.delete(identity)
    },
    take(before) {
      if (times.peek() >= before) return NOTHING
      const taken: Taken<K, V>[] = []
      while (times.peek() < before) {
        const timestamp = times.pop()
        const lists = [...(byTime.get(timestamp)?.values() ?? NOTHING)].filter((list) => list.length > 0)
        byTime.delete(timestamp)
        if (lists.length > 1) lists.sort((a, b) => keys.compare(a[0].key, b[0].key))
        for (const list of lists) {
          for (const entry of list) {
            taken.push({ key: entry.key, timestamp, value: entry.value! })
            forget(entry)
          }
        }
      }
      return taken
    },
    *all() {
      for (const records of byTime.values()) for (const list of records.values()) yield* list
    },
    flush,
    writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd) {
      const timestamp = windowStart(source, keyEnd)
      const sequence = sequenceOf(source, keyEnd)
      const key = innerKey(keys, source, keyStart, keyEnd)
      const list = listFor(key, timestamp)
      const at = firstSequencedAt(list, timestamp, sequence)
      const found = list[at]?.sequence === sequence ? list[at] : undefined
      if (valueStart < 0) {
        if (found) {
          list.splice(at, 1)
          size--
        }
        if (list.length === 0) forgetList(key, timestamp)
        return
      }
      const value = values.decode(source, valueStart, valueEnd)
      const entry = found ?? sequenced(keys.keep(key), timestamp, value, sequence)
      restoreEntry(entry, value, timestamp)
      if (found) return
      list.splice(at, 0, entry)
      size++
    },
  }
}
