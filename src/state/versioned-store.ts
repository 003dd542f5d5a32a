import type { ByteSource } from '../serde/bytes.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import { changes, newEntry, restoreEntry } from './changes.ts'
import type { Pageable } from './disk/paged.ts'
import { pagedVersionedStore } from './disk/paged-versions.ts'
import { type Keys, keysOf } from './keys.ts'
import { type Entry, type StateStore, serdeValue, type ValueCodec } from './store.ts'
import { encodeWindowKey, innerKey, windowStart } from './window-key.ts'

/** What a put did: it made the newest version, one before it, or none since it is older than the history reaches. */
export type PutResult = 'latest' | 'history' | 'expired'

/** A value and the time from which on it holds. */
export interface Version<out V> {
  readonly value: V
  readonly timestamp: number
}

/**
 * Values per key as of any time within the history (Kafka Streams: VersionedKeyValueStore, KIP-889). A version holds from its
 * timestamp until that of the next one; null is a version, too. Time is that of the store: the highest timestamp put.
 * What nothing within the history can see is forgotten; the newest value of a key never is.
 */
export interface VersionedStore<K, V> extends StateStore {
  /** In any order of timestamps; the same timestamp replaces. */
  put(key: K, value: V | null, timestamp: number): PutResult
  /** The newest version; undefined if the key is deleted or was never there. */
  latest(key: K): Version<V> | undefined
  /**
   * The version that held at a time; undefined where the key was deleted or not there yet, and where the time is before
   * the history and the newest version after it.
   */
  asOf(key: K, timestamp: number): Version<V> | undefined
  /** Forgets versions that the history has passed, in the changelog too; call at a commit. */
  expire(): void
}

export interface VersionedStoreOptions<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** How far back versions are seen, ms. */
  readonly historyRetention: number
}

export function versionedStore<K, V>(options: VersionedStoreOptions<K, V>): StoreSpec<VersionedStore<K, V>> {
  const { name, key, value, historyRetention } = options
  return {
    name,
    kind: 'versioned',
    parameters: { key: key.format, value: value.format, historyRetention },
    changelog: true,
    create(environment) {
      const { disk } = environment
      const keys = keysOf(environment.open(key, 'key'))
      const values = slots(serdeValue(value)(environment))
      const time = { newest: -1 }
      const span = Math.max(1, Math.floor(historyRetention / 16))
      const make = () => memoryVersionedStore(keys, values, historyRetention, span, time)
      return disk
        ? pagedVersionedStore({ disk, keys, values, make }, time, { retention: historyRetention, span })
        : make()
    },
  }
}

/** A value that may be null, told apart from an entry that is deleted. */
interface Slot<V> {
  readonly value: V | null
}

/** 0 for null; 1 ‖ value. */
function slots<V>(codec: ValueCodec<V>): ValueCodec<Slot<V>> {
  return {
    encode({ value }, out) {
      out.uint8(value === null ? 0 : 1)
      if (value !== null) codec.encode(value, out)
    },
    decode: (source: ByteSource, start, end) => ({
      value: source.buffer[start] === 0 ? null : codec.decode(source, start + 1, end),
    }),
  }
}

/** The highest timestamp put, of the whole store. */
export interface StoreTime {
  newest: number
}

type VersionEntry<K, V> = Entry<K, Slot<V>>

function memoryVersionedStore<K, V>(
  keys: Keys<K>,
  values: ValueCodec<Slot<V>>,
  retention: number,
  /** Versions are forgotten by slots of so many ms. */
  span: number,
  time: StoreTime,
): VersionedStore<K, V> & Pageable<K> {
  // Per key, ascending by timestamp.
  const histories = new Map<unknown, VersionEntry<K, V>[]>()
  const { touch, flush, writeEntry } = changes<K, Slot<V>>((entry, out) => encodeWindowKey(keys, entry, out), values)
  // Keys by the time of their versions: when the history passes it, what came before is no longer seen.
  const passing = new Map<number, Set<unknown>>()
  let size = 0

  /** Index of the last version at or before a time; -1 if there is none. */
  const at = (versions: readonly VersionEntry<K, V>[], timestamp: number): number => {
    let low = 0
    let high = versions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (versions[middle].start <= timestamp) low = middle + 1
      else high = middle
    }
    return low - 1
  }
  const insert = (key: K, slot: Slot<V>, timestamp: number): { entry: VersionEntry<K, V>; newest: boolean } => {
    const identity = keys.identity(key)
    let versions = histories.get(identity)
    const entry = newEntry<K, Slot<V>>(versions ? versions[0].key : keys.keep(key), timestamp, slot, timestamp)
    // The kept key's own identity: that of a record may hold on to its batch.
    const kept = keys.identity(entry.key)
    if (versions === undefined) histories.set(kept, (versions = []))
    const after = at(versions, timestamp) + 1
    const newest = after === versions.length
    if (newest) versions.push(entry)
    else versions.splice(after, 0, entry)
    const slotNumber = Math.floor(timestamp / span)
    const peers = passing.get(slotNumber)
    if (peers) peers.add(kept)
    else passing.set(slotNumber, new Set([kept]))
    if (timestamp > time.newest) time.newest = timestamp
    size++
    return { entry, newest }
  }
  const found = (versions: readonly VersionEntry<K, V>[], index: number): Version<V> | undefined => {
    const entry = versions[index]
    const value = entry?.value?.value ?? null
    return value === null ? undefined : { value, timestamp: entry.timestamp }
  }
  /** Forgets what is superseded at the beginning of the history, and a deletion that is. */
  const prune = (identity: unknown) => {
    const versions = histories.get(identity)
    if (versions === undefined) return
    const boundary = at(versions, time.newest - retention)
    if (boundary < 0) return
    const gone = boundary + (versions[boundary].value!.value === null ? 1 : 0)
    for (const entry of versions.splice(0, gone)) {
      entry.value = null
      if (entry.logged) touch(entry)
      size--
    }
    if (versions.length === 0) histories.delete(identity)
  }

  return {
    get size() {
      return size
    },
    put(key, value, timestamp) {
      if (timestamp < time.newest - retention) return 'expired'
      const versions = histories.get(keys.identity(key)) ?? []
      const index = at(versions, timestamp)
      const same = versions[index]
      if (same?.start === timestamp) {
        same.value = { value }
        touch(same)
        return index === versions.length - 1 ? 'latest' : 'history'
      }
      const { entry, newest } = insert(key, { value }, timestamp)
      touch(entry)
      return newest ? 'latest' : 'history'
    },
    latest(key) {
      const versions = histories.get(keys.identity(key))
      return versions && found(versions, versions.length - 1)
    },
    asOf(key, timestamp) {
      const versions = histories.get(keys.identity(key))
      if (versions === undefined) return undefined
      const index = at(versions, timestamp)
      if (timestamp < time.newest - retention && index < versions.length - 1) return undefined
      return found(versions, index)
    },
    expire() {
      for (const [slot, identities] of passing) {
        if ((slot + 1) * span > time.newest - retention) continue
        passing.delete(slot)
        for (const identity of identities) prune(identity)
      }
    },
    unload(key) {
      const identity = keys.identity(key)
      const versions = histories.get(identity)
      if (versions === undefined) return
      for (const { start } of versions) {
        const slot = Math.floor(start / span)
        const peers = passing.get(slot)
        if (peers?.delete(identity) && peers.size === 0) passing.delete(slot)
      }
      size -= versions.length
      histories.delete(identity)
    },
    *all() {
      for (const versions of histories.values()) {
        const row = found(versions, versions.length - 1)
        const newest = versions[versions.length - 1]
        if (row) yield { ...newest, value: row.value, start: row.timestamp }
      }
    },
    *history() {
      // A copy: a snapshot walks over it while commits take versions out.
      for (const versions of histories.values()) yield* [...versions]
    },
    flush,
    writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      const start = windowStart(source, keyEnd)
      const key = innerKey(keys, source, keyStart, keyEnd)
      const versions = histories.get(keys.identity(key)) ?? []
      const index = at(versions, start)
      const known = versions[index]?.start === start ? versions[index] : undefined
      if (valueStart >= 0) {
        const slot = values.decode(source, valueStart, valueEnd)
        restoreEntry(known ?? insert(key, slot, start).entry, slot, timestamp)
      } else if (known) {
        versions.splice(index, 1)
        size--
        if (versions.length === 0) histories.delete(keys.identity(key))
        // A standby never expires anything: of what the active task has long forgotten it need not know the keys.
        for (const slot of passing.keys()) {
          if ((slot + 1) * span > time.newest - 2 * retention) break
          passing.delete(slot)
        }
      }
    },
  }
}
