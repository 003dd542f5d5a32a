import { expect } from 'vitest'

/** Compares numbers, and numbers in arrays and objects, up to a relative difference; everything else exactly. */
export function closeTo(relative: number, absolute = relative): (actual: unknown, expected: unknown) => void {
  const compare = (actual: unknown, expected: unknown): void => {
    if (typeof actual === 'number' && typeof expected === 'number' && Number.isFinite(expected)) {
      expect(Math.abs(actual - expected)).toBeLessThanOrEqual(Math.abs(expected) * relative + absolute)
    } else if (typeof actual === 'object' && actual !== null && typeof expected === 'object' && expected !== null) {
      expect(Object.keys(actual)).toEqual(Object.keys(expected))
      for (const name of Object.keys(expected)) {
        compare((actual as Record<string, unknown>)[name], (expected as Record<string, unknown>)[name])
      }
    } else expect(actual).toEqual(expected)
  }
  return compare
}
