/** How often, and with which dice: set by `npm run faults -- --rounds N --seed S`. */
export interface Faults {
  readonly rounds: number
  /** In [0, 1), the same for the same seed and test. */
  random(): number
  /** A whole number in [0, n). */
  below(n: number): number
}

/**
 * @param name of the test: each has a sequence of its own, so that one alone does what it does among the others
 * @param rounds without `--rounds`: a few seconds' worth
 */
export function faults(name: string, rounds: number): Faults {
  const seed = Number(process.env.FAULT_SEED ?? 1)
  const random = mulberry32(
    [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16_777_619), seed),
  )
  return {
    rounds: Number(process.env.FAULT_ROUNDS ?? rounds),
    random,
    below: (n) => Math.floor(random() * n),
  }
}

/** Tommy Ettinger's mulberry32: small, and good enough to choose moments. */
function mulberry32(state: number): () => number {
  let a = state
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
