/** Independent random numbers for record `i` of a seed: any record can be made again without those before it. */
export interface Draws {
  /** A whole number from 0 to n - 1. */
  below(n: number): number
  /** 32 random bits as hexadecimal. */
  hex(): string
}

export function drawsFor(seed: number, i: number, salt = 0): Draws {
  // splitmix32 over a counter: small, fast, and good enough to look like life.
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(i + 1, 0xc2b2ae35) ^ Math.imul(salt, 0x27d4eb2f)
  const next = () => {
    state = (state + 0x9e3779b9) | 0
    let z = state ^ (state >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = Math.imul(z, 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  return {
    below: (n) => next() % n,
    hex: () => next().toString(16).padStart(8, '0'),
  }
}
