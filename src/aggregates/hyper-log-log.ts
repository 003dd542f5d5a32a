/**
 * HyperLogLog registers over 53-bit hashes: the first `precision` bits choose a register, which keeps the largest
 * number of leading zeros (plus 1) among the rest.
 */
const HASH_BITS = 53
const LOW_BITS = 21

/** Notes a hash; the array has 2^precision registers. */
export function note(registers: Uint8Array, hash: number, precision: number): void {
  const high = Math.floor(hash / 2 ** LOW_BITS) | 0
  const index = high >>> (32 - precision)
  const rest = high << precision
  const zeros = rest !== 0 ? Math.clz32(rest) : 32 - precision + Math.clz32(hash % 2 ** LOW_BITS) - (32 - LOW_BITS)
  if (zeros >= registers[index]) registers[index] = zeros + 1
}

/** Makes `a` the registers of both. */
export function mergeRegisters(a: Uint8Array, b: Uint8Array): void {
  for (let i = 0; i < a.length; i++) if (b[i] > a[i]) a[i] = b[i]
}

/**
 * How many different hashes there were: Ertl's estimator, without bias at any size and without tables ("New cardinality
 * estimation algorithms for HyperLogLog sketches", 2017, algorithm 6).
 */
export function estimate(registers: Uint8Array, precision: number): number {
  const m = registers.length
  const most = HASH_BITS - precision
  const counts = new Array<number>(most + 2).fill(0)
  for (let i = 0; i < m; i++) counts[registers[i]]++
  let z = m * tau(1 - counts[most + 1] / m)
  for (let k = most; k >= 1; k--) z = 0.5 * (z + counts[k])
  z += m * sigma(counts[0] / m)
  return (m * m) / (2 * Math.LN2 * z)
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY
  let x = share
  let y = 1
  let sum = x
  for (let before = Number.NaN; before !== sum; ) {
    x *= x
    before = sum
    sum += x * y
    y += y
  }
  return sum
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let x = share
  let y = 1
  let sum = 1 - x
  for (let before = Number.NaN; before !== sum; ) {
    x = Math.sqrt(x)
    before = sum
    y *= 0.5
    sum -= (1 - x) ** 2 * y
  }
  return sum / 3
}
