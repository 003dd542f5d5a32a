import { keep } from '../aggregates/keep.ts'
import type { ByteSource, ByteWriter } from '../serde/bytes.ts'
import type { Keys } from './keys.ts'
import type { Entry } from './store.ts'
import { SUFFIX } from './window-key.ts'

/**
 * A record in a store that keeps duplicates: `start` is its timestamp, and records of one key and time are told apart by
 * the order in which they came. In the changelog it is a window store's key with a sequence number, as Kafka Streams'
 * join stores have it (WindowKeySchema, retainDuplicates).
 */
export interface SequencedEntry<K, V> extends Entry<K, V> {
  readonly sequence: number
}

/** An entry that nobody has written yet. */
export function sequenced<K, V>(key: K, start: number, value: V, sequence: number): SequencedEntry<K, V> {
  return { key, start, value, timestamp: start, dirty: false, logged: false, given: null, sequence }
}

/** A live entry after `last`, the newest of its key and time. */
export function nextEntry<K, V>(
  keys: Keys<K>,
  key: K,
  timestamp: number,
  value: V,
  last: SequencedEntry<K, V> | undefined,
): SequencedEntry<K, V> {
  const sequence = last?.start === timestamp ? last.sequence + 1 : 0
  return sequenced(last === undefined ? keys.keep(key) : last.key, timestamp, keep(value), sequence)
}

export function encodeSequencedKey<K>(keys: Keys<K>, entry: SequencedEntry<K, unknown>, out: ByteWriter): void {
  keys.encode(entry.key, out)
  out.int64(entry.start)
  out.int32(entry.sequence)
}

export function sequenceOf({ view }: ByteSource, keyEnd: number): number {
  return view.getInt32(keyEnd - (SUFFIX - 8))
}

/** Index of the first entry at or after (timestamp, sequence) in a list that is ordered by both. */
export function firstSequencedAt(
  entries: readonly SequencedEntry<unknown, unknown>[],
  timestamp: number,
  sequence: number,
): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const { start, sequence: at } = entries[middle]
    if (start < timestamp || (start === timestamp && at < sequence)) low = middle + 1
    else high = middle
  }
  return low
}
