import type { Aggregate } from './aggregate.ts'
import { type Found, fieldAggregate, readField } from './field.ts'
import { keep } from './keep.ts'
import { readPlain, writePlain } from './plain-state.ts'
import { StateReader } from './state-reader.ts'

/** A value and its event time; the accumulator of `first` and `last`. */
export interface Timed<T> {
  timestamp: number
  value: T | null
}

/**
 * What `first` and `last` have in common.
 *
 * @param before - a time that every timestamp beats
 * @param beats - whether something that came later in arrival replaces what is there
 */
export function byTime<V, T>(
  kind: string,
  of: (value: V) => T,
  before: number,
  beats: (timestamp: number, than: number) => boolean,
): Aggregate<V, Timed<NonNullable<T>>, Found<T>> {
  type Accumulator = Timed<NonNullable<T>>
  const put = (accumulator: Accumulator, value: NonNullable<T>, timestamp: number) => {
    if (beats(timestamp, accumulator.timestamp)) {
      accumulator.timestamp = timestamp
      accumulator.value = keep(value)
    }
    return accumulator
  }
  return fieldAggregate({
    kind,
    read: readField(of),
    init: (): Accumulator => ({ timestamp: before, value: null }),
    put,
    commutative: true,
    merge: (a: Accumulator, b: Accumulator) => (b.value === null ? a : put(a, b.value, b.timestamp)),
    result: ({ value }) => value as Found<T>,
    clone: ({ timestamp, value }) => ({ timestamp, value }),
    state: {
      encode({ timestamp, value }, out) {
        if (value === null) return
        out.int64(timestamp)
        writePlain(out, value, kind)
      },
      decode(source, start, end) {
        if (start === end) return { timestamp: before, value: null }
        const reader = new StateReader(kind, source, start, end)
        const accumulator = { timestamp: reader.int64(), value: readPlain(reader) as NonNullable<T> }
        reader.finish()
        return accumulator
      },
    },
  })
}
