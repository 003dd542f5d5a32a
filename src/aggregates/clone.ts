import type { Aggregate } from './aggregate.ts'

/** How accumulators of an aggregate are copied: its own `clone`, or `structuredClone` for objects. */
export function cloneOf<A>({ clone }: Pick<Aggregate<never, A, unknown>, 'clone'>): (accumulator: A) => A {
  return clone ?? copied
}

/** A deep copy of an object; anything else as it is. */
export function copied<T>(value: T): T {
  return typeof value === 'object' && value !== null ? structuredClone(value) : value
}
