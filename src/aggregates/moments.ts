import type { Aggregate, AggregateState } from './aggregate.ts'
import { fieldAggregate, type NumberOf, readNumber } from './field.ts'
import type { AggregateRow } from './row.ts'
import { StateReader } from './state-reader.ts'

/** Count, mean, and the sum of squared distances from the mean. */
export interface Moments {
  count: number
  mean: number
  squares: number
}

export interface MomentsOptions {
  /** The values are all there are (divide by n) and not a sample of them (divide by n - 1). Default false. */
  readonly population?: boolean
}

const newMoments = (): Moments => ({ count: 0, mean: 0, squares: 0 })

const copyMoments = ({ count, mean, squares }: Moments): Moments => ({ count, mean, squares })

/** Welford, "Note on a method for calculating corrected sums of squares and products", 1962. */
function addNumber(moments: Moments, number: number): Moments {
  const distance = number - moments.mean
  moments.count++
  moments.mean += distance / moments.count
  moments.squares += distance * (number - moments.mean)
  return moments
}

/** Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979. */
function addMoments(a: Moments, b: Moments): Moments {
  if (b.count === 0) return a
  if (a.count === 0) return Object.assign(a, b)
  const count = a.count + b.count
  const distance = b.mean - a.mean
  a.squares += b.squares + ((distance * distance * a.count) / count) * b.count
  a.mean += (distance * b.count) / count
  a.count = count
  return a
}

/** Variance; null where there are too few numbers for one. */
export function varianceOf({ count, squares }: Moments, { population = false }: MomentsOptions): number | null {
  const degrees = population ? count : count - 1
  return degrees > 0 ? squares / degrees : null
}

/** An aggregate of which only the result differs: a number of each value, as a sample or as all there are. */
export function momentsAggregate<V>(
  name: string,
  of: NumberOf<V>,
  { population }: MomentsOptions,
  result: (moments: Moments) => number | null,
): Aggregate<V, Moments, number | null> {
  const kind = population ? `${name}(population)` : name
  return fieldAggregate(
    {
      kind,
      read: readNumber(kind, of),
      init: newMoments,
      put: addNumber,
      merge: addMoments,
      result,
      clone: copyMoments,
      state: momentsState(kind),
    },
    momentsRow(result),
  )
}

/** As `addNumber`, in a row: count, mean, squares. */
function momentsRow<R>(result: (moments: Moments) => R): AggregateRow<Moments, R> {
  const load = (row: Float64Array, at: number): Moments => ({ count: row[at], mean: row[at + 1], squares: row[at + 2] })
  return {
    width: 3,
    put(row, at, number: number) {
      const distance = number - row[at + 1]
      row[at]++
      row[at + 1] += distance / row[at]
      row[at + 2] += distance * (number - row[at + 1])
    },
    result: (row, at) => result(load(row, at)),
    load,
    save(row, at, { count, mean, squares }) {
      row[at] = count
      row[at + 1] = mean
      row[at + 2] = squares
    },
  }
}

function momentsState(kind: string): AggregateState<Moments> {
  return {
    size: 24,
    encode({ count, mean, squares }, out) {
      out.int64(count)
      out.float64(mean)
      out.float64(squares)
    },
    decode(source, start, end) {
      const reader = new StateReader(kind, source, start, end)
      const moments = { count: reader.int64(), mean: reader.float64(), squares: reader.float64() }
      reader.finish()
      return moments
    },
  }
}
