import type { Serde } from '../serde/serde.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import { changes, restoreEntry } from './changes.ts'
import type { Pageable } from './disk/paged.ts'
import { pagedJoinStore } from './disk/paged-join.ts'
import { type Keys, keysOf } from './keys.ts'
import {
  encodeSequencedKey,
  firstSequencedAt,
  nextEntry,
  type SequencedEntry,
  sequenced,
  sequenceOf,
} from './sequenced.ts'
import { type StateStore, serdeValue, type ValueCodec } from './store.ts'
import { firstAtOrAfter } from './timelines.ts'
import { innerKey, windowStart } from './window-key.ts'

/**
 * The records of one side of a join, by key and time, duplicates kept. In segments of time, each a Map of keys: a probe
 * looks into the few segments that its window touches, and what has expired is dropped segment by segment.
 */
export interface JoinStore<K, V> extends StateStore {
  put(key: K, timestamp: number, value: V): void
  /**
   * Visits the records of a key with from <= timestamp <= to, in the order (timestamp, arrival), and says whether there
   * were any.
   */
  fetch(key: K, from: number, to: number, visit: (timestamp: number, value: V) => void): boolean
  /** Forgets records older than `before`, in the changelog too; some may stay up to a segment longer. */
  expire(before: number): void
}

export interface JoinStoreOptions<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** About how long records are kept, ms. */
  readonly retention: number
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** A probe looks into at most a few segments; memory holds at most one more than is needed. */
const SEGMENTS = 4

export function joinStore<K, V>(options: JoinStoreOptions<K, V>): StoreSpec<JoinStore<K, V>> {
  return {
    name: options.name,
    kind: 'join',
    parameters: { retention: options.retention, ...options.parameters },
    changelog: true,
    create(environment) {
      const { disk } = environment
      const keys = keysOf(environment.open(options.key, 'key'))
      const values = serdeValue(options.value)(environment)
      const span = Math.max(1, Math.ceil(options.retention / SEGMENTS))
      const make = () => memoryJoinStore(keys, values, span)
      return disk ? pagedJoinStore({ disk, keys, values, make }, span) : make()
    },
  }
}

type Segment<K, V> = Map<unknown, SequencedEntry<K, V>[]>

function memoryJoinStore<K, V>(keys: Keys<K>, values: ValueCodec<V>, span: number): JoinStore<K, V> & Pageable<K> {
  const segments = new Map<number, Segment<K, V>>()
  const { touch, flush, writeEntry } = changes<K, V, SequencedEntry<K, V>>(
    (entry, out) => encodeSequencedKey(keys, entry, out),
    values,
  )
  let size = 0

  const listFor = (key: K, timestamp: number): SequencedEntry<K, V>[] => {
    const slot = Math.floor(timestamp / span)
    let segment = segments.get(slot)
    if (segment === undefined) segments.set(slot, (segment = new Map()))
    const identity = keys.identity(key)
    let list = segment.get(identity)
    if (list === undefined) {
      list = []
      segment.set(typeof identity === 'string' ? keys.keep(identity as K) : identity, list)
    }
    return list
  }

  /** A standby never expires anything: what the changelog has deleted leaves nothing behind. */
  const forget = (key: K, timestamp: number) => {
    const slot = Math.floor(timestamp / span)
    const segment = segments.get(slot)!
    segment.delete(keys.identity(key))
    if (segment.size === 0) segments.delete(slot)
  }

  return {
    get size() {
      return size
    },
    put(key, timestamp, value) {
      const list = listFor(key, timestamp)
      const at = firstAtOrAfter(list, timestamp + 1)
      const entry = nextEntry(keys, key, timestamp, value, list[at - 1])
      if (at === list.length) list.push(entry)
      else list.splice(at, 0, entry)
      size++
      touch(entry)
    },
    fetch(key, from, to, visit) {
      const identity = keys.identity(key)
      let found = false
      const last = Math.floor(to / span)
      for (let slot = Math.floor(from / span); slot <= last; slot++) {
        const list = segments.get(slot)?.get(identity)
        if (list === undefined) continue
        for (let i = firstAtOrAfter(list, from); i < list.length && list[i].start <= to; i++) {
          found = true
          visit(list[i].start, list[i].value!)
        }
      }
      return found
    },
    expire(before) {
      for (const [slot, segment] of segments) {
        if ((slot + 1) * span > before) continue
        for (const list of segment.values()) {
          size -= list.length
          for (const entry of list) {
            entry.value = null
            if (entry.logged) touch(entry)
          }
        }
        segments.delete(slot)
      }
    },
    unload(key, from, to) {
      const identity = keys.identity(key)
      for (let slot = Math.floor(from / span); slot <= Math.floor(to / span); slot++) {
        const segment = segments.get(slot)
        const list = segment?.get(identity)
        if (segment === undefined || list === undefined) continue
        size -= list.length
        segment.delete(identity)
        if (segment.size === 0) segments.delete(slot)
      }
    },
    *all() {
      for (const segment of segments.values()) for (const list of segment.values()) yield* list
    },
    flush,
    writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd) {
      const timestamp = windowStart(source, keyEnd)
      const sequence = sequenceOf(source, keyEnd)
      const key = innerKey(keys, source, keyStart, keyEnd)
      const list = listFor(key, timestamp)
      const at = firstSequencedAt(list, timestamp, sequence)
      const found = list[at]?.start === timestamp && list[at].sequence === sequence ? list[at] : undefined
      if (valueStart < 0) {
        if (found) {
          list.splice(at, 1)
          size--
        }
        if (list.length === 0) forget(key, timestamp)
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
