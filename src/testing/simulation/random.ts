/** Draws that follow from a seed alone. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number from 0 to `n` - 1. */
  below(n: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  pick<T>(of: readonly T[]): T
}

/** Mulberry32: 32 bits of state are plenty to tell one run from another. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (n: number) => Math.floor(next() * n)
  return { next, below, chance: (probability) => next() < probability, pick: (of) => of[below(of.length)] }
}
