import { MillraceError } from '../errors.ts'
import type { Aggregate } from './aggregate.ts'
import { fieldAggregate, type NumberOf, readNumber } from './field.ts'
import { StateReader, writeVarint } from './state-reader.ts'

export interface HistogramOptions {
  /** Upper bounds of the buckets, inclusive, ascending. One more bucket holds what is above the last. */
  readonly bounds: readonly number[]
}

/**
 * How many numbers fall into each bucket: `bounds.length + 1` counts, the first of those up to `bounds[0]`, the last of
 * those above all bounds. (Not cumulative, unlike Prometheus, whose bounds are inclusive as well.) Null, undefined and
 * NaN are left out.
 *
 * State: a variable-length number for each bucket. Throws `INVALID_OPTION` unless the bounds ascend.
 *
 * @example
 * ```ts
 * histogram((request: Request) => request.milliseconds, { bounds: [10, 100, 1000] })
 * ```
 */
export function histogram<V>(of: NumberOf<V>, options: HistogramOptions): Aggregate<V, number[], number[]> {
  const bounds = Float64Array.from(options.bounds)
  checkBounds(bounds)
  const kind = `histogram(${bounds.join(', ')})`
  const size = bounds.length + 1
  return fieldAggregate({
    kind,
    read: readNumber(kind, of),
    init: () => new Array<number>(size).fill(0),
    put(counts: number[], number: number) {
      if (!Number.isNaN(number)) counts[bucketOf(number, bounds)]++
      return counts
    },
    take(counts: number[], number: number) {
      if (Number.isNaN(number)) return counts
      const bucket = bucketOf(number, bounds)
      if (counts[bucket] > 0) counts[bucket]--
      return counts
    },
    merge(a: number[], b: number[]) {
      for (let i = 0; i < size; i++) a[i] += b[i]
      return a
    },
    result: (counts) => counts.slice(),
    clone: (counts) => counts.slice(),
    state: {
      encode(counts, out) {
        for (let i = 0; i < size; i++) writeVarint(out, counts[i])
      },
      decode(source, start, end) {
        const reader = new StateReader(kind, source, start, end)
        const counts: number[] = []
        for (let i = 0; i < size; i++) counts.push(reader.varint())
        reader.finish()
        return counts
      },
    },
  })
}

/** Index of the first bound that is not below the number, by halving. */
function bucketOf(number: number, bounds: Float64Array): number {
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (bounds[middle] < number) low = middle + 1
    else high = middle
  }
  return low
}

function checkBounds(bounds: Float64Array): void {
  const ascending = bounds.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > bounds[i - 1]))
  if (bounds.length > 0 && ascending) return
  throw new MillraceError('INVALID_OPTION', `histogram: the bounds are [${bounds.join(', ')}]`, {
    hint: 'give at least one bound, all finite, each above the one before',
  })
}
