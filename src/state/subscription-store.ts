import type { ByteSource } from '../serde/bytes.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import { changes, newEntry, restoreEntry } from './changes.ts'
import { type Keys, keysOf } from './keys.ts'
import type { Entry, StateStore, ValueCodec } from './store.ts'

/** A row of a left table that points at a row of a right one. */
export interface SubscriptionKey<F, K> {
  readonly foreignKey: F
  readonly key: K
}

/** Which left rows point at which right row, and the hash of each as it was when it said so. */
export interface SubscriptionStore<F, K> extends StateStore {
  put(foreignKey: F, key: K, hash: number, timestamp: number): void
  remove(foreignKey: F, key: K, timestamp: number): void
  /** Of one right row; do not change them. */
  of(foreignKey: F): Iterable<Entry<SubscriptionKey<F, K>, number>>
}

export function subscriptionStore<F, K>(options: {
  readonly name: string
  readonly foreignKey: Serde<F>
  readonly key: Serde<K>
}): StoreSpec<SubscriptionStore<F, K>> {
  return {
    name: options.name,
    kind: 'subscriptions',
    parameters: { foreignKey: options.foreignKey.format, key: options.key.format },
    changelog: true,
    create: (environment) =>
      memorySubscriptionStore(
        keysOf(environment.open(options.foreignKey, 'key')),
        keysOf(environment.open(options.key, 'key')),
      ),
  }
}

const hashes: ValueCodec<number> = {
  encode: (hash, out) => out.int64(hash),
  decode: ({ buffer }, start) => buffer.readInt32BE(start) * 4294967296 + buffer.readUInt32BE(start + 4),
}

const NONE: readonly never[] = []

function memorySubscriptionStore<F, K>(foreignKeys: Keys<F>, keys: Keys<K>): SubscriptionStore<F, K> {
  type Subscription = Entry<SubscriptionKey<F, K>, number>
  const byForeignKey = new Map<unknown, Map<unknown, Subscription>>()
  // As Kafka Streams' CombinedKeySchema: the length of the foreign key, int32 ‖ foreign key ‖ key.
  const { touch, flush, writeEntry } = changes<SubscriptionKey<F, K>, number>(({ key: { foreignKey, key } }, out) => {
    const at = out.position
    out.int32(0)
    foreignKeys.encode(foreignKey, out)
    out.view.setInt32(at, out.position - at - 4)
    keys.encode(key, out)
  }, hashes)
  let size = 0

  const find = (foreignKey: F, key: K) => byForeignKey.get(foreignKeys.identity(foreignKey))?.get(keys.identity(key))
  const create = (foreignKey: F, key: K, hash: number, timestamp: number): Subscription => {
    const kept = { foreignKey: foreignKeys.keep(foreignKey), key: keys.keep(key) }
    const entry = newEntry(kept, 0, hash, timestamp)
    const identity = foreignKeys.identity(kept.foreignKey)
    let subscriptions = byForeignKey.get(identity)
    if (subscriptions === undefined) byForeignKey.set(identity, (subscriptions = new Map()))
    subscriptions.set(keys.identity(kept.key), entry)
    size++
    return entry
  }
  const unlink = ({ key: { foreignKey, key } }: Subscription) => {
    const identity = foreignKeys.identity(foreignKey)
    const subscriptions = byForeignKey.get(identity)!
    subscriptions.delete(keys.identity(key))
    if (subscriptions.size === 0) byForeignKey.delete(identity)
    size--
  }
  const decode = (source: ByteSource, start: number, end: number): SubscriptionKey<F, K> => {
    const split = start + 4 + source.buffer.readInt32BE(start)
    return {
      foreignKey: foreignKeys.decode(source.buffer.subarray(start + 4, split)),
      key: keys.decode(source.buffer.subarray(split, end)),
    }
  }

  return {
    get size() {
      return size
    },
    put(foreignKey, key, hash, timestamp) {
      const entry = find(foreignKey, key) ?? create(foreignKey, key, hash, timestamp)
      entry.value = hash
      entry.timestamp = timestamp
      touch(entry)
    },
    remove(foreignKey, key, timestamp) {
      const entry = find(foreignKey, key)
      if (entry === undefined) return
      unlink(entry)
      entry.value = null
      entry.timestamp = timestamp
      touch(entry)
    },
    of: (foreignKey) => byForeignKey.get(foreignKeys.identity(foreignKey))?.values() ?? NONE,
    *all() {
      for (const subscriptions of byForeignKey.values()) yield* subscriptions.values()
    },
    flush,
    writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      const { foreignKey, key } = decode(source, keyStart, keyEnd)
      const found = find(foreignKey, key)
      if (valueStart < 0) {
        if (found) unlink(found)
        return
      }
      const hash = hashes.decode(source, valueStart, valueEnd)
      restoreEntry(found ?? create(foreignKey, key, hash, timestamp), hash, timestamp)
    },
  }
}
