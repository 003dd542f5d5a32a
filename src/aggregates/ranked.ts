import type { Comparable } from './field.ts'

/** Something, and what it is put in order by. */
export interface Ranked<T> {
  readonly by: Comparable
  readonly value: T
}

/** Reads both; null when either is null or undefined, or when it has no place in an order (NaN). */
export function readRanked<V, T>(
  of: (value: V) => T,
  by: (value: V) => Comparable | null | undefined,
): (value: V) => Ranked<NonNullable<T>> | null {
  return (value) => {
    if (value === null || value === undefined) return null
    const rank = by(value)
    if (rank === null || rank === undefined || Number.isNaN(rank)) return null
    const found = of(value)
    return found === null || found === undefined ? null : { by: rank, value: found }
  }
}
