import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { approximateDistinct, collect, distinct, quantile, quantiles } from '../../src/aggregates/index.ts'
import { aggregateContract } from '../../src/testing/contracts/aggregate.ts'
import { seededRandom } from '../../src/testing/simulation/random.ts'
import { resultOf } from './values.ts'

const number = (n: number) => n
const whole = fc.integer({ min: -1000, max: 1000 })
const doubles = fc.double({ noDefaultInfinity: false, noNaN: false })

aggregateContract('quantiles', {
  make: () => quantiles(number, { quantiles: [0, 0.25, 0.5, 0.99, 1], error: 0.02 }),
  values: whole,
})
aggregateContract('quantile of any doubles', { make: () => quantile(number, 0.5), values: doubles })
aggregateContract('approximateDistinct, exact', { make: () => approximateDistinct(number), values: whole })
// Of 16 registers, which take the place of the hashes at once.
aggregateContract('approximateDistinct, by registers', {
  make: () => approximateDistinct(number, { precision: 4 }),
  values: whole,
})
aggregateContract('collect with a limit', { make: () => collect<number>(undefined, { limit: 5 }), values: whole })
aggregateContract('distinct with a limit', { make: () => distinct(number, { limit: 5 }), values: whole })

describe('quantiles', () => {
  it.each([0.001, 0.01, 0.2])('are within an error of %f of the number of that rank', (error) => {
    const qs = [0, 0.01, 0.5, 0.9, 0.999, 1]
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()), { minLength: 1 }),
        (numbers) => {
          const ranked = [...numbers].sort((a, b) => a - b)
          const estimates = resultOf(quantiles(number, { quantiles: qs, error }), numbers)!
          for (const [i, q] of qs.entries()) {
            const exact = ranked[Math.floor(q * (numbers.length - 1))]
            // Rounding in the logarithm is far below the error that is stated.
            const allowed = Math.abs(exact) * error * (1 + 1e-6) + 2 ** -1022
            expect(Math.abs(estimates[i] - exact)).toBeLessThanOrEqual(allowed)
          }
        },
      ),
    )
  })

  it('refuse what makes no sense', () => {
    const of = (options: { quantiles: readonly number[]; error?: number }) => () => quantiles(number, options)
    expect(of({ quantiles: [] })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(of({ quantiles: [1.5] })).toThrow(/quantile 1.5/)
    expect(of({ quantiles: [0.5], error: 0 })).toThrow(/error 0/)
  })
})

describe('approximateDistinct', () => {
  it('is exact while there are few', () => {
    const values = Array.from({ length: 128 }, (_, i) => i)
    expect(resultOf(approximateDistinct(number), [...values, ...values])).toBe(128)
  })

  // The stated standard error, over 200 sets of each size; their mean square is known to about 5 %.
  it.each([
    [10, 1_000],
    [10, 20_000],
    [12, 5_000],
  ])('has the standard error that is stated, at precision %i for %i values', (precision, n) => {
    const stated = 1.04 / Math.sqrt(2 ** precision)
    const random = seededRandom(7)
    const aggregate = approximateDistinct(number, { precision })
    const SETS = 200
    let squares = 0
    let bias = 0
    for (let set = 0; set < SETS; set++) {
      const sketch = aggregate.init()
      const from = random.below(2 ** 30)
      for (let i = 0; i < n; i++) aggregate.add(sketch, from + i, 0)
      const error = (aggregate.result(sketch) - n) / n
      squares += error * error
      bias += error
    }
    expect(Math.sqrt(squares / SETS)).toBeLessThan(stated * 1.2)
    expect(Math.abs(bias / SETS)).toBeLessThan((stated / Math.sqrt(SETS)) * 4)
  })
})
