import { ByteWriter } from '../serde/bytes.ts'
import type { Codec, Serde } from '../serde/serde.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import { changes, newEntry, restoreEntry } from './changes.ts'
import { diskSubscriptionStore } from './disk/disk-subscriptions.ts'
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
    create(environment) {
      const { disk } = environment
      const foreignKeys = keysOf(environment.open(options.foreignKey, 'key'))
      const keys = keysOf(environment.open(options.key, 'key'))
      const layout = subscriptionKeys(foreignKeys, keys)
      return disk
        ? diskSubscriptionStore({ disk, keys: layout, values: hashes })
        : memorySubscriptionStore(foreignKeys, keys, layout)
    },
  }
}

const hashes: ValueCodec<number> = {
  encode: (hash, out) => out.int64(hash),
  decode: ({ buffer }, start) => buffer.readInt32BE(start) * 4294967296 + buffer.readUInt32BE(start + 4),
}

/** As Kafka Streams' CombinedKeySchema: the length of the foreign key, int32 ‖ foreign key ‖ key. */
export interface SubscriptionKeys<F, K> extends Keys<SubscriptionKey<F, K>> {
  /** What all keys of one foreign key begin with; valid until the next call. */
  prefix(foreignKey: F): Uint8Array
}

function subscriptionKeys<F, K>(foreignKeys: Keys<F>, keys: Keys<K>): SubscriptionKeys<F, K> {
  const scratch = new ByteWriter(64)
  const encodePrefix = (foreignKey: F, out: ByteWriter) => {
    const at = out.position
    out.int32(0)
    foreignKeys.encode(foreignKey, out)
    out.view.setInt32(at, out.position - at - 4)
  }
  const codec: Codec<SubscriptionKey<F, K>> = {
    encode({ foreignKey, key }, out) {
      encodePrefix(foreignKey, out)
      keys.encode(key, out)
    },
    decode({ buffer }, start, end) {
      const split = start + 4 + buffer.readInt32BE(start)
      return {
        foreignKey: foreignKeys.decode(buffer.subarray(start + 4, split)),
        key: keys.decode(buffer.subarray(split, end)),
      }
    },
  }
  return {
    ...keysOf(codec),
    keep: ({ foreignKey, key }) => ({ foreignKey: foreignKeys.keep(foreignKey), key: keys.keep(key) }),
    prefix(foreignKey) {
      encodePrefix(foreignKey, scratch.reset())
      return scratch.bytes()
    },
  }
}

const NONE: readonly never[] = []

function memorySubscriptionStore<F, K>(
  foreignKeys: Keys<F>,
  keys: Keys<K>,
  layout: SubscriptionKeys<F, K>,
): SubscriptionStore<F, K> {
  type Subscription = Entry<SubscriptionKey<F, K>, number>
  const byForeignKey = new Map<unknown, Map<unknown, Subscription>>()
  const { touch, flush, writeEntry } = changes<SubscriptionKey<F, K>, number>(
    ({ key }, out) => layout.encode(key, out),
    hashes,
  )
  let size = 0

  const find = (foreignKey: F, key: K) => byForeignKey.get(foreignKeys.identity(foreignKey))?.get(keys.identity(key))
  const create = (foreignKey: F, key: K, hash: number, timestamp: number): Subscription => {
    const kept = layout.keep({ foreignKey, key })
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
      const { foreignKey, key } = layout.read(source, keyStart, keyEnd)
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
