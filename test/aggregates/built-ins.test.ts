import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  argMax,
  argMin,
  collect,
  distinct,
  first,
  histogram,
  last,
  max,
  mean,
  min,
  stddev,
  topK,
  variance,
} from '../../src/aggregates/index.ts'
import { aggregateContract } from '../../src/testing/contracts/aggregate.ts'
import { closeTo } from './close.ts'
import { resultOf } from './values.ts'

const number = (n: number) => n
const whole = fc.integer({ min: -1000, max: 1000 })

aggregateContract('min', { make: () => min(number), values: whole })
aggregateContract('max', { make: () => max(number), values: whole })
aggregateContract('mean', { make: () => mean(number), values: whole, same: closeTo(1e-12) })
aggregateContract('first', { make: () => first<number>(), values: whole })
aggregateContract('last', { make: () => last<number>(), values: whole })
aggregateContract('distinct', { make: () => distinct(number), values: whole })
aggregateContract('collect', {
  make: () => collect<number>(),
  values: whole,
  // Of equal values the last one goes, wherever the one that is taken out was.
  sameUnordered: (actual, expected) => expect([...actual].sort()).toEqual([...expected].sort()),
})
aggregateContract('histogram', { make: () => histogram(number, { bounds: [-500, 0, 500] }), values: whole })
aggregateContract('argMin', { make: () => argMin((n: number) => `${n}`, number), values: whole })
aggregateContract('argMax', { make: () => argMax((n: number) => `${n}`, number), values: whole })
aggregateContract('topK', { make: () => topK<number>(3, number), values: whole })
aggregateContract('variance', { make: () => variance(number), values: whole, same: closeTo(1e-9) })
aggregateContract('stddev', { make: () => stddev(number), values: whole, same: closeTo(1e-9) })

describe('built-in aggregates', () => {
  it('say what a plain loop says', () => {
    const values = [5, -3, 5, 12, 0]
    expect(resultOf(min(number), values)).toBe(-3)
    expect(resultOf(max(number), values)).toBe(12)
    expect(resultOf(mean(number), values)).toBeCloseTo(3.8)
    expect(resultOf(topK<number>(2, number), values)).toEqual([12, 5])
    expect(
      resultOf(
        argMax((n: number) => `${n}`, number),
        values,
      ),
    ).toBe('12')
    expect(resultOf(histogram(number, { bounds: [0, 5] }), values)).toEqual([2, 2, 1])
  })
})
