import type { Aggregate } from './aggregate.ts'
import { argExtreme, type Best } from './arg-extreme.ts'
import type { Comparable, Found, OrNull } from './field.ts'

/**
 * A field of the value whose `by` is largest; of several, the one that arrived first. Left out where either is null or
 * undefined, or `by` is NaN; null when there was nothing else. Strings are in the order of their UTF-16 code units.
 *
 * Cannot be removed from: not for tables. State: both fields, which must be plain data (see `custom`).
 *
 * @example
 * ```ts
 * argMax((offer: Offer) => offer.seller, (offer) => offer.price)
 * ```
 */
export function argMax<V, T, B extends Comparable | null | undefined>(
  of: (value: V) => T,
  by: (value: V) => B,
): Aggregate<V, Best<NonNullable<T>>, Found<T> | OrNull<B>> {
  return argExtreme('argMax', of, by, (a, b) => a > b)
}
