import type { Aggregate } from './aggregate.ts'

type Functions = Pick<Aggregate<never, never, unknown>, 'init' | 'add' | 'merge'>

/** What `neutral` and `commutative` are claims about, and whom they were made for. */
export interface Claiming {
  readonly init: unknown
  readonly add: unknown
  readonly merge?: unknown
  readonly neutral?: boolean
  readonly commutative?: boolean
  readonly [CLAIMED_OF]?: Readonly<Record<keyof Functions, unknown>>
}

/** By a symbol, which a spread copies: so a copy that has another function is found out. */
const CLAIMED_OF: unique symbol = Symbol('claimed of')

/** Ties what an aggregate claims to the very functions that it has now. */
export function claiming<T extends Claiming>(aggregate: T): T {
  const { init, add, merge } = aggregate
  return { ...aggregate, [CLAIMED_OF]: { init, add, merge } }
}

/**
 * Whether merging into a fresh accumulator changes nothing. Of a spread aggregate whose `init` or `merge` is another one
 * now, nobody has said so.
 */
export function isNeutral(aggregate: Claiming): boolean {
  const { neutral, init, merge, [CLAIMED_OF]: of } = aggregate
  return neutral === true && merge !== undefined && (of === undefined || (of.init === init && of.merge === merge))
}

/** Whether the order and the grouping of values do not show: `{ ...count(), add: mine }` has not said so. */
export function isCommutative(aggregate: Claiming): boolean {
  const { commutative, add, [CLAIMED_OF]: of } = aggregate
  return commutative === true && isNeutral(aggregate) && (of === undefined || of.add === add)
}
