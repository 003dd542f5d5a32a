import type { StoreDisk } from '../../topology/store-spec.ts'
import type { ValueCodec } from '../store.ts'
import type { SubscriptionKeys, SubscriptionStore } from '../subscription-store.ts'
import { diskEntries } from './disk-entries.ts'

/** A store of subscriptions that are on disk but for those in use. */
export function diskSubscriptionStore<F, K>({
  disk,
  keys,
  values,
}: {
  readonly disk: StoreDisk
  readonly keys: SubscriptionKeys<F, K>
  readonly values: ValueCodec<number>
}): SubscriptionStore<F, K> {
  const entries = diskEntries({ table: disk.table(), keys, values, cacheBytes: disk.cacheBytes, suffix: () => {} })
  return {
    get size() {
      return entries.size
    },
    put(foreignKey, key, hash, timestamp) {
      const of = { foreignKey, key }
      const entry = entries.find(0, of) ?? entries.create(0, of, hash, timestamp)
      entry.value = hash
      entry.timestamp = timestamp
      entries.touch(entry)
    },
    remove(foreignKey, key, timestamp) {
      const entry = entries.find(0, { foreignKey, key })
      if (entry === undefined) return
      entries.remove(entry)
      entry.timestamp = timestamp
    },
    of: (foreignKey) => entries.each(0, keys.prefix(foreignKey)),
    all: entries.all,
    flush: entries.flush,
    writeEntry: entries.writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd, timestamp) {
      entries.restore(0, source.buffer.subarray(keyStart, keyEnd), source, valueStart, valueEnd, timestamp)
    },
    close: entries.close,
  }
}
