import { checkWhole } from '../options.ts'
import type { Aggregate } from './aggregate.ts'
import { type Comparable, fieldAggregate } from './field.ts'
import { keep } from './keep.ts'
import { readPlain, writePlain } from './plain-state.ts'
import { type Ranked, readRanked } from './ranked.ts'
import { StateReader } from './state-reader.ts'

/** The accumulator of `topK`: the best so far, best first. */
export type Top<T> = Ranked<T>[]

/**
 * The `n` values, or fields of them, whose `by` is largest, in descending order; of equal ones, those that arrived
 * first. Left out where `by` or the field is null or undefined, or `by` is NaN. For the smallest: negate `by`.
 *
 * Meant for tens, not thousands. Cannot be removed from: not for tables. State: both fields of each, which must be
 * plain data (see `custom`). Throws `INVALID_OPTION` for an `n` below 1.
 *
 * @example
 * ```ts
 * topK(10, (order: Order) => order.total, (order) => order.id)
 * ```
 */
export function topK<V>(
  n: number,
  by: (value: V) => Comparable | null | undefined,
): Aggregate<V, Top<NonNullable<V>>, NonNullable<V>[]>
export function topK<V, T>(
  n: number,
  by: (value: V) => Comparable | null | undefined,
  of: (value: V) => T,
): Aggregate<V, Top<NonNullable<T>>, NonNullable<T>[]>
export function topK<V>(
  n: number,
  by: (value: V) => Comparable | null | undefined,
  of: (value: V) => unknown = (value) => value,
): Aggregate<V, Top<object>, object[]> {
  checkWhole('topK', 'n', n, 1)
  const kind = `topK(${n})`
  return fieldAggregate({
    kind,
    read: readRanked(of as (value: V) => object, by),
    init: (): Top<object> => [],
    put(top: Top<object>, ranked: Ranked<object>) {
      if (top.length < n) insert(top, keep(ranked))
      else if (ranked.by > top[n - 1].by) {
        top.pop()
        insert(top, keep(ranked))
      }
      return top
    },
    merge(a: Top<object>, b: Top<object>) {
      for (const ranked of b) insert(a, ranked)
      a.length = Math.min(a.length, n)
      return a
    },
    result: (top) => top.map(({ value }) => value),
    clone: (top) => top.slice(),
    state: {
      encode(top, out) {
        for (const { by, value } of top) {
          writePlain(out, by, kind)
          writePlain(out, value, kind)
        }
      },
      decode(source, start, end) {
        const reader = new StateReader(kind, source, start, end)
        const top: Top<object> = []
        while (!reader.atEnd) top.push({ by: readPlain(reader) as Comparable, value: readPlain(reader) as object })
        return top
      },
    },
  })
}

/** Puts one behind all that are as large or larger. */
function insert<T>(top: Top<T>, ranked: Ranked<T>): void {
  let at = top.length
  while (at > 0 && ranked.by > top[at - 1].by) at--
  top.splice(at, 0, ranked)
}
