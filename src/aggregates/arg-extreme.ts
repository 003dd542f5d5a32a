import type { Aggregate } from './aggregate.ts'
import { type Comparable, type Found, fieldAggregate, type OrNull } from './field.ts'
import { keep } from './keep.ts'
import { readPlain, writePlain } from './plain-state.ts'
import { type Ranked, readRanked } from './ranked.ts'
import { StateReader } from './state-reader.ts'

/** The accumulator of `argMin` and `argMax`: the best so far. */
export interface Best<T> {
  found: Ranked<T> | null
}

/** What `argMin` and `argMax` have in common. */
export function argExtreme<V, T, B extends Comparable | null | undefined>(
  kind: string,
  of: (value: V) => T,
  by: (value: V) => B,
  beats: (a: Comparable, b: Comparable) => boolean,
): Aggregate<V, Best<NonNullable<T>>, Found<T> | OrNull<B>> {
  type Accumulator = Best<NonNullable<T>>
  const wins = (best: Accumulator, ranked: Ranked<NonNullable<T>>) =>
    best.found === null || beats(ranked.by, best.found.by)
  return fieldAggregate({
    kind,
    read: readRanked(of, by),
    init: (): Accumulator => ({ found: null }),
    put(best: Accumulator, ranked: Ranked<NonNullable<T>>) {
      if (wins(best, ranked)) best.found = keep(ranked)
      return best
    },
    merge(a: Accumulator, b: Accumulator) {
      if (b.found !== null && wins(a, b.found)) a.found = b.found
      return a
    },
    result: ({ found }) => (found === null ? null : found.value) as Found<T> | OrNull<B>,
    clone: ({ found }) => ({ found }),
    state: {
      encode({ found }, out) {
        if (found === null) return
        writePlain(out, found.by, kind)
        writePlain(out, found.value, kind)
      },
      decode(source, start, end) {
        if (start === end) return { found: null }
        const reader = new StateReader(kind, source, start, end)
        const found = { by: readPlain(reader) as Comparable, value: readPlain(reader) as NonNullable<T> }
        reader.finish()
        return { found }
      },
    },
  })
}
