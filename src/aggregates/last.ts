import type { Aggregate } from './aggregate.ts'
import { byTime, type Timed } from './by-time.ts'
import type { Found } from './field.ts'

/**
 * The value, or a field of it, with the highest timestamp; of several, the one that arrived last. Null and undefined are
 * left out; null when there was nothing else. (By event time: for the last to arrive see `reduce`.)
 *
 * Cannot be removed from: not for tables. State: the timestamp and the value, which must be plain data (see `custom`).
 */
export function last<V>(): Aggregate<V, Timed<NonNullable<V>>, Found<V>>
export function last<V, T>(of: (value: V) => T): Aggregate<V, Timed<NonNullable<T>>, Found<T>>
export function last<V>(of: (value: V) => unknown = (value) => value): Aggregate<V, Timed<object>, unknown> {
  return byTime('last', of, Number.NEGATIVE_INFINITY, (timestamp, than) => timestamp >= than)
}
