import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Aggregate, mean, sum } from '../../src/aggregates/index.ts'
import { ByteWriter } from '../../src/serde/bytes.ts'
import { aggregateContract } from '../../src/testing/contracts/aggregate.ts'
import { closeTo } from './close.ts'
import { encoded } from './encoded.ts'
import { type Payment, payments, paymentsOrNull, resultOf } from './values.ts'

const amount = (payment: Payment) => payment.amount
const number = (n: number | null | undefined) => n
const numbers = fc.double({ noNaN: true, min: -1e100, max: 1e100 })

aggregateContract('sum of money', { make: () => sum(amount), values: paymentsOrNull, same: closeTo(1e-15) })
aggregateContract('sum of money in cents', { make: () => sum(amount, { decimals: 2 }), values: paymentsOrNull })
aggregateContract('sum of whole numbers', { make: () => sum(number), values: fc.integer() })
aggregateContract('sum of any doubles', {
  make: () => sum(number),
  values: numbers,
  same: closeTo(1e-14, 1e85), // what is left of numbers up to 1e100 that cancel each other out, to 32 digits less two
})

describe('sum', () => {
  it('of money is kept in the same bytes whatever the order', () => {
    const cents = fc.array(fc.integer({ min: -1_000_000_00, max: 1_000_000_00 }).map((n) => n / 100))
    fc.assert(
      fc.property(cents, fc.nat(50), (values, cut) => {
        const same = <A>(of: Aggregate<number, A, unknown>) => {
          const fold = (some: readonly number[]) => some.reduce((total, value) => of.add(total, value, 0), of.init())
          const bytes = (total: A) => {
            const out = new ByteWriter()
            of.state.encode(total, out)
            return Buffer.from(out.bytes())
          }
          const reversed = values.toReversed()
          const merged = of.merge!(fold(reversed.slice(cut)), fold(reversed.slice(0, cut)))
          expect(bytes(merged)).toEqual(bytes(fold(values)))
        }
        same(sum(number))
        same(sum(number, { decimals: 2 }))
        same(mean(number))
      }),
    )
  })

  it('is exact in cents with two decimals', () => {
    fc.assert(
      fc.property(fc.array(payments), (values) => {
        const cents = values.reduce((total, { amount }) => total + Math.round((amount ?? 0) * 100), 0)
        expect(resultOf(sum(amount, { decimals: 2 }), values)).toBe(cents / 100)
      }),
    )
    expect(resultOf(sum(number, { decimals: 2 }), [0.1, 0.2])).toBe(0.3)
  })

  it('is right to the cent without, over a million additions', () => {
    const total = sum(number)
    let accumulator = total.init()
    let plain = 0
    for (let i = 0; i < 1_000_000; i++) {
      accumulator = total.add(accumulator, 1234.56, 0)
      plain += 1234.56
    }
    expect(total.result(accumulator)).toBe(1_234_560_000)
    expect(plain).not.toBe(1_234_560_000)
  })

  it('keeps what a plain sum loses', () => {
    expect(resultOf(sum(number), [1, 1e100, 1, -1e100])).toBe(2)
  })

  it('leaves out null and undefined, and lets NaN and Infinity through', () => {
    expect(resultOf(sum(number), [])).toBe(0)
    expect(resultOf(sum(number), [null, 1, undefined, 2])).toBe(3)
    expect(resultOf(sum(number), [1, Number.NaN, 2])).toBeNaN()
    expect(resultOf(sum(number), [1, Number.POSITIVE_INFINITY, 2])).toBe(Number.POSITIVE_INFINITY)
    expect(resultOf(sum(number), [1e308, 1e308])).toBe(Number.POSITIVE_INFINITY)
  })

  it('refuses what is not a number, and stays as it was', () => {
    const total = sum((value: unknown) => value as number)
    const accumulator = total.add(total.init(), 1, 0)
    expect(() => total.add(accumulator, '1', 0)).toThrow(expect.objectContaining({ code: 'OPERATOR_FAILED' }))
    expect(total.result(accumulator)).toBe(1)
  })

  it("is kept as Kafka's double where that is enough", () => {
    expect(encoded(sum(number), [1.5, 2]).readDoubleBE()).toBe(3.5)
    expect(encoded(sum(number), [1.5, 2])).toHaveLength(8)
    expect(encoded(sum(number), [0.1, 0.2])).toHaveLength(16)
    expect(encoded(sum(number, { decimals: 2 }), [0.1, 0.2]).readDoubleBE()).toBe(30)
  })

  it('refuses decimals that are none', () => {
    expect(() => sum(number, { decimals: 1.5 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })
})
