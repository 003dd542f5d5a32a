import { describe, expect, it } from 'vitest'
import { count } from '../../src/aggregates/index.ts'
import { aggregateContract } from '../../src/testing/contracts/aggregate.ts'
import { encoded } from './encoded.ts'
import { paymentsOrNull, resultOf } from './values.ts'

aggregateContract('count', { make: count, values: paymentsOrNull })

describe('count', () => {
  it('counts everything, null too', () => {
    expect(resultOf(count(), [1, null, undefined, 'a'])).toBe(4)
    expect(resultOf(count(), [])).toBe(0)
  })

  it("is kept as Kafka's long", () => {
    expect(encoded(count(), [1, 2, 3]).readBigInt64BE()).toBe(3n)
  })
})
