import { plainState } from '../../aggregates/plain-state.ts'
import { ByteWriter } from '../../serde/bytes.ts'
import type { Serde } from '../../serde/serde.ts'
import { dueQueue } from '../../state/due-queue.ts'
import type { KeyValueStore } from '../../state/key-value-store.ts'
import type { Entry, ValueCodec } from '../../state/store.ts'
import type { Forward, ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import { type Bounds, bufferFull } from './bounds.ts'

/** An update that is held back. Its timestamp is its entry's. */
export interface Buffered<V> {
  /** Timestamp of the first update since one was given out, by which it is due. */
  readonly since: number
  /** null: a deletion. */
  value: V | null
  /** The value that was given out last, where somebody downstream wants it. */
  readonly old: V | null
}

export interface BoundedBuffer extends Bounds {
  readonly whenFull: 'emit' | 'stop'
}

const plain = plainState<unknown>('untilTimeLimit')

/** In the changelog: time, value and old value, as plain data. */
export function bufferedState<V>(): ValueCodec<Buffered<V>> {
  return {
    encode: ({ since, value, old }, out) => plain.encode([since, value, old], out),
    decode(source, start, end) {
      const [since, value, old] = plain.decode(source, start, end) as [number, V | null, V | null]
      return { since, value, old }
    },
  }
}

/** Suppression until a time limit, as in Kafka Streams (KTableSuppressProcessorSupplier). */
export function timeLimit<K, V>(
  spec: StoreSpec<KeyValueStore<K, Buffered<V>>>,
  keySerde: Serde<K>,
  limit: number,
  { maxRecords, maxBytes, whenFull }: BoundedBuffer,
): ProcessorFactory {
  return (context) => {
    const store = context.store(spec)
    const time = context.streamTime()
    const next: Forward<K, V | null> = context.forward()
    // Keys alone: the entries are the store's, which may put them on disk and give others of the same key.
    const order = dueQueue<K>((a, b) => store.order(a) < store.order(b))
    const measure = maxBytes === Number.POSITIVE_INFINITY ? undefined : sizes()
    let bytes = 0

    function sizes(): (entry: Entry<K, Buffered<V>>) => number {
      const keys = context.codec(keySerde, 'key')
      const values = bufferedState<V>()
      const scratch = new ByteWriter()
      return ({ key, value }) => {
        keys.encode(key, scratch.reset())
        values.encode(value!, scratch)
        return scratch.position
      }
    }
    const give = () => {
      const entry = store.find(order.take()!)!
      if (measure) bytes -= measure(entry)
      const { value, old } = entry.value!
      store.remove(entry)
      next(entry.key, value, entry.timestamp, old)
    }
    const giveDue = () => {
      while (order.next <= time.closing - limit) give()
      if (store.size <= maxRecords && bytes <= maxBytes) return
      if (whenFull === 'stop') throw full()
      while (store.size > maxRecords || bytes > maxBytes) give()
    }
    const full = () =>
      bufferFull(
        'untilTimeLimit',
        context.node,
        store.size,
        bytes,
        "raise maxRecords or maxBytes, shorten the limit, or give the oldest out early: whenFull: 'emit'",
      )

    const hold: Forward<K, V | null> = (key, value, timestamp, old) => {
      time.observe(timestamp)
      let entry = store.find(key)
      if (entry === undefined) {
        entry = store.create(key, { since: timestamp, value, old: old ?? null }, timestamp)
        order.put(entry.key, timestamp)
      } else {
        if (measure) bytes -= measure(entry)
        entry.value!.value = value
        entry.timestamp = timestamp
      }
      if (measure) bytes += measure(entry)
      store.touch(entry)
      giveDue()
    }
    return {
      inputs: [hold],
      restored() {
        order.clear()
        bytes = 0
        for (const entry of store.all() as Iterable<Entry<K, Buffered<V>>>) {
          order.put(entry.key, entry.value!.since)
          if (measure) bytes += measure(entry)
        }
      },
      advance: giveDue,
    }
  }
}
