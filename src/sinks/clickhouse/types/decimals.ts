import { type ColumnEncoder, unfit } from './column-encoder.ts'
import { writeBigInts } from './numbers.ts'
import type { TypeName } from './type-name.ts'

/** Encoder of a Decimal. Takes texts, numbers and bigints; digits beyond the scale are rounded, half away from zero. */
export function decimalEncoder({ text, literals }: TypeName): ColumnEncoder {
  const [precision, scale] = literals.map(Number) as [number, number]
  const limit = 10n ** BigInt(precision)
  const size = precision > 38 ? 32 : precision > 18 ? 16 : precision > 9 ? 8 : 4
  return {
    wire: text,
    nulls: 'always',
    empty: 0n,
    emptySize: size,
    convert(value) {
      const unscaled = scaled(value, scale)
      if (unscaled === undefined) throw unfit(value, text)
      if (unscaled >= limit || unscaled <= -limit) throw unfit(value, text, 'out of range')
      return unscaled
    },
    write: (values, out) => writeBigInts(values as bigint[], size, out),
  }
}

/** The number times ten to the power of `scale`; undefined for what is no number. */
function scaled(value: unknown, scale: number): bigint | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(String(value)) ?? []
  const digits = whole + fraction
  if (sign === undefined || digits === '') return undefined
  // Beyond a thousand digits it is out of every range, or nothing.
  const shift = Math.max(-1000, Math.min(1000, scale - fraction.length + Number(exponent)))
  const magnitude = shift >= 0 ? BigInt(digits) * 10n ** BigInt(shift) : rounded(BigInt(digits), 10n ** BigInt(-shift))
  return sign === '-' ? -magnitude : magnitude
}

function rounded(digits: bigint, unit: bigint): bigint {
  return (digits + unit / 2n) / unit
}
