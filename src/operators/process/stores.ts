import { checkWhole } from '../../options.ts'
import type { Serde } from '../../serde/serde.ts'
import { keyValueStore as keyValueSpec } from '../../state/key-value-store.ts'
import { slidingStore } from '../../state/sliding-store.ts'
import { serdeValue } from '../../state/store.ts'
import { firstAtOrAfter } from '../../state/timelines.ts'
import type { ProcessorContext, StreamTime } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'

/**
 * A store that `process` works with: its name and serdes. Pure data; two operators that are given the same constant
 * share the store, and run in one task.
 */
export interface StoreDefinition<out H> {
  readonly spec: StoreSpec
  /** What the user's functions get; `now` gives the event time of what they are working on. */
  open(context: ProcessorContext, time: StreamTime, now: () => number): OpenStore<H>
}

export interface OpenStore<out H> {
  readonly handle: H
  /** At a commit: what is too old goes. */
  expire?(): void
}

/** The latest value per key, as the functions of `process` see it. */
export interface KeyValues<K, V> {
  /** The value itself, not a copy: after changing it, `put` it back. */
  get(key: K): V | undefined
  /** A null value deletes. */
  put(key: K, value: V | null): void
  /** The value that was there. */
  delete(key: K): V | undefined
  /** Entries from `from` to `to`, both included, in the order of the keys' bytes; undefined: no bound. */
  range(from: K | undefined, to: K | undefined): Iterable<readonly [key: K, value: V]>
  /** Every entry, in the order of the keys' bytes. */
  all(): Iterable<readonly [key: K, value: V]>
  readonly size: number
}

/**
 * A store of one value per key, for `process`. Kept until it is deleted.
 *
 * The name is the identity of the state: its changelog is `<application>-<name>-changelog`. Ordered as the serialised
 * keys are, byte by byte, as Kafka Streams' stores are: negative numbers come after positive ones. Kafka Streams:
 * `Stores.keyValueStoreBuilder`.
 *
 * @example
 * ```ts
 * const balances = keyValueStore('balances', { key: string(), value: json<{ cents: number }>() })
 * ```
 */
export function keyValueStore<K, V>(
  name: string,
  { key, value }: { readonly key: Serde<K>; readonly value: Serde<V> },
): StoreDefinition<KeyValues<K, V>> {
  const spec = keyValueSpec<K, V>({ name, key, value: serdeValue(value) })
  return {
    spec,
    open(context, _time, now) {
      const store = context.store(spec)
      const remove = (key: K): V | undefined => {
        const entry = store.find(key)
        if (entry === undefined) return undefined
        const { value } = entry
        entry.timestamp = now()
        store.remove(entry)
        return value!
      }
      const range = (from: K | undefined, to: K | undefined) =>
        store.range(from, to).map(({ key, value }) => [key, value!] as const)
      const handle: KeyValues<K, V> = {
        get: (key) => store.find(key)?.value ?? undefined,
        put(key, value) {
          if (value === null || value === undefined) return void remove(key)
          const entry = store.find(key) ?? store.create(key, value, now())
          entry.value = value
          entry.timestamp = now()
          store.touch(entry)
        },
        delete: remove,
        range,
        all: () => range(undefined, undefined),
        get size() {
          return store.size
        },
      }
      return { handle }
    },
  }
}

/** Values per key and time, as the functions of `process` see them. */
export interface WindowValues<K, V> {
  /** The value itself, not a copy: after changing it, `put` it back. */
  get(key: K, start: number): V | undefined
  /** A null value deletes. What is older than the retention is not kept, but counted as expired. */
  put(key: K, start: number, value: V | null): void
  delete(key: K, start: number): V | undefined
  /** Values of one key with a start from `from` to `to`, both included, in the order of time. */
  range(key: K, from: number, to: number): Iterable<readonly [start: number, value: V]>
  /** Values of all keys, in the order of start and serialised key; without bounds: everything. */
  all(from?: number, to?: number): Iterable<readonly [key: K, start: number, value: V]>
}

export interface WindowStoreDefinition<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** How long a value is kept, in ms of stream time after its start. */
  readonly retention: number
}

/**
 * A store of values per key and start time, for `process`; they expire in event time.
 *
 * The name is the identity of the state: its changelog is `<application>-<name>-changelog`, in Kafka Streams' layout of
 * window stores. A value is there until stream time has passed its start by more than the retention. Kafka Streams:
 * `Stores.windowStoreBuilder`.
 *
 * @example
 * ```ts
 * const recent = windowStore('recent', { key: string(), value: json<string[]>(), retention: hours(1) })
 * ```
 */
export function windowStore<K, V>(
  name: string,
  { key, value, retention }: WindowStoreDefinition<K, V>,
): StoreDefinition<WindowValues<K, V>> {
  checkWhole(`windowStore '${name}'`, 'retention', retention, 0)
  const spec = slidingStore<K, V>({ name, key, value: serdeValue(value), span: retention, parameters: { retention } })
  return {
    spec,
    open(context, time, now) {
      const store = context.store(spec)
      const slowest = sharedTime(store, context.node, time)
      const expired = (start: number) => start + retention < slowest()
      const find = (key: K, start: number) => {
        const windows = store.windows(key)
        const at = windows[firstAtOrAfter(windows, start)]
        return at?.start === start && !expired(start) ? at : undefined
      }
      const remove = (key: K, start: number): V | undefined => {
        const entry = find(key, start)
        if (entry === undefined) return undefined
        const { value } = entry
        entry.timestamp = now()
        store.remove(entry)
        return value!
      }
      const handle: WindowValues<K, V> = {
        get: (key, start) => find(key, start)?.value ?? undefined,
        put(key, start, value) {
          if (value === null || value === undefined) return void remove(key, start)
          if (expired(start)) return context.drop('expired')
          const entry = find(key, start) ?? store.create(start, key, value, now())
          entry.value = value
          entry.timestamp = now()
          store.touch(entry)
        },
        delete: remove,
        range(key, from, to) {
          const windows = store.windows(key)
          const found: (readonly [number, V])[] = []
          for (let i = firstAtOrAfter(windows, from); i < windows.length && windows[i].start <= to; i++) {
            if (!expired(windows[i].start)) found.push([windows[i].start, windows[i].value!])
          }
          return found
        },
        all: (from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY) =>
          store
            .between(from - 1, to)
            .filter(({ start }) => !expired(start))
            .map(({ key, start, value }) => [key, start, value!] as const),
      }
      return { handle, expire: () => store.expire(slowest() - retention) }
    },
  }
}

const sharing = new WeakMap<object, Map<string, StreamTime>>()

/**
 * What operators share expires when the time of all of them has passed it. A store may outlive its task as a standby: the
 * operators of the next one take the places of those before.
 */
function sharedTime(store: object, node: string, time: StreamTime): () => number {
  const times = sharing.get(store) ?? new Map<string, StreamTime>()
  times.set(node, time)
  sharing.set(store, times)
  return () => {
    let slowest = Number.POSITIVE_INFINITY
    for (const { closing } of times.values()) slowest = Math.min(slowest, closing)
    return slowest
  }
}
