/** A straight line through values that were taken at equal distances (least squares). */
export interface Trend {
  /** Of all values. */
  readonly mean: number
  /** From the first to the last value, along the line. */
  readonly growth: number
  /** Three standard errors of `growth`: by so much it may be chance. */
  readonly doubt: number
}

/** At least three values. */
export function trendOf(values: readonly number[]): Trend {
  const span = values.length - 1
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const middle = span / 2
  const spread = values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0)
  const slope = values.reduce((sum, value, i) => sum + (i - middle) * (value - mean), 0) / spread
  const residue = values.reduce((sum, value, i) => sum + (value - mean - slope * (i - middle)) ** 2, 0)
  return { mean, growth: slope * span, doubt: 3 * span * Math.sqrt(residue / (values.length - 2) / spread) }
}
