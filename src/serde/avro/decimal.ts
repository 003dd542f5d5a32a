/** The decimal in bytes [start, end) (two's complement, big-endian) as exact text with `scale` digits after the point. */
export function decimalText(bytes: Uint8Array, start: number, end: number, scale: number): string {
  if (end - start <= 6) {
    let n = end > start && bytes[start] > 127 ? -1 : 0
    for (let p = start; p < end; p++) n = n * 256 + bytes[p]
    return pointed(n < 0, String(Math.abs(n)), scale)
  }
  let n = 0n
  for (let p = start; p < end; p++) n = (n << 8n) | BigInt(bytes[p])
  n = BigInt.asIntN((end - start) * 8, n)
  return pointed(n < 0n, String(n < 0n ? -n : n), scale)
}

function pointed(negative: boolean, digits: string, scale: number): string {
  const padded = digits.padStart(scale + 1, '0')
  const split = padded.length - scale
  return (negative ? '-' : '') + (scale === 0 ? padded : `${padded.slice(0, split)}.${padded.slice(split)}`)
}

const form = /^([+-]?)(\d+)(?:\.(\d*))?$/

/**
 * The unscaled number behind the text of a decimal, or undefined when the text is no decimal or does not fit: it may
 * have fewer digits after the point than `scale`, or more if they are zeros; nothing is rounded.
 */
export function unscaled(text: unknown, precision: number, scale: number): bigint | undefined {
  const match = typeof text === 'string' ? form.exec(text) : null
  if (!match) return undefined
  const [, sign, whole, fraction = ''] = match
  if (/[^0]/.test(fraction.slice(scale))) return undefined
  const n = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'))
  if (n >= 10n ** BigInt(precision)) return undefined
  return sign === '-' ? -n : n
}

/** Two's complement, big-endian; in `size` bytes, or without it in as few as will do. */
export function decimalBytes(n: bigint, size = fewestBytes(n)): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let p = size - 1; p >= 0; p--) {
    bytes[p] = Number(n & 255n)
    n >>= 8n
  }
  return bytes
}

function fewestBytes(n: bigint): number {
  const magnitude = n < 0n ? -n - 1n : n
  return Math.floor(magnitude === 0n ? 0 : magnitude.toString(2).length / 8) + 1
}
