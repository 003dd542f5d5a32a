import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { combine, count, custom, sum } from '../../src/aggregates/index.ts'
import { RejectedRecord } from '../../src/errors.ts'
import { byteSource } from '../../src/serde/bytes.ts'
import { aggregateContract } from '../../src/testing/contracts/aggregate.ts'
import { encoded } from './encoded.ts'
import { type Payment, paymentsOrNull, resultOf } from './values.ts'

const amount = (payment: Payment) => payment.amount
const revenue = () => combine({ orders: count(), revenue: sum(amount, { decimals: 2 }) })
const methods = () =>
  custom({
    init: (): string[] => [],
    add: (all, payment: Payment) => [...all, payment?.method ?? 'none'],
    merge: (a, b) => [...a, ...b],
  })

aggregateContract('combine', { make: revenue, values: paymentsOrNull })
aggregateContract('combine of what cannot be removed', {
  make: () => combine({ methods: methods(), inner: revenue(), orders: count() }),
  values: paymentsOrNull,
})
aggregateContract('combine of fixed sizes', {
  make: () => combine({ a: count(), b: count() }),
  values: fc.constant(null),
})

describe('combine', () => {
  it('calls what a user gave a built-in aggregate instead of its own', () => {
    const size = sum(amount, { decimals: 2 })
    const absolute = {
      ...size,
      add: (all, payment: Payment, at) => size.add(all, { ...payment, amount: 5 }, at),
    } satisfies typeof size
    const both = combine({ absolute, size })
    const given = both.result(both.add(both.init(), { amount: -5 } as Payment, 0))
    expect(given).toEqual({ absolute: 5, size: -5 })
    expect(both.commutative).toBe(false)
  })

  it('gives the fields in the order in which they were named', () => {
    const result = resultOf(combine({ z: count(), a: count(), __proto__: count(), 'with "quotes"': count() }), [1, 2])
    expect(Object.keys(result)).toEqual(['z', 'a', 'with "quotes"'])
    expect(result).toEqual({ z: 2, a: 2, 'with "quotes"': 2 })
  })

  it('offers only what all of its aggregates offer', () => {
    expect(revenue().merge).toBeDefined()
    expect(revenue().remove).toBeDefined()
    const more = combine({ orders: count(), methods: methods() })
    expect(more.merge).toBeDefined()
    expect(more.remove).toBeUndefined()
    expect(combine({ orders: count(), mine: custom({ init: () => 0, add: (n) => n }) }).merge).toBeUndefined()
  })

  it('adds nothing at all when a function throws', () => {
    const picky = combine({
      orders: count(),
      revenue: sum(amount),
      checked: sum((payment: Payment) => {
        if (payment.method === 'cash') throw new RejectedRecord('no cash')
        return 1
      }),
    })
    const accumulator = picky.add(picky.init(), { amount: 5, method: 'card' }, 0)
    expect(() => picky.add(accumulator, { amount: 7, method: 'cash' }, 1)).toThrow(RejectedRecord)
    expect(() => picky.remove!(accumulator, { amount: 7, method: 'cash' }, 1)).toThrow(RejectedRecord)
    expect(picky.result(accumulator)).toEqual({ orders: 1, revenue: 5, checked: 1 })
  })

  it('is kept field by field, with lengths only where they vary', () => {
    const bytes = encoded(revenue(), [{ amount: 0.25, method: 'card' }])
    expect(bytes.toString('hex')).toBe('0000000000000001' + '08' + '4039000000000000')
  })

  it('keeps states of more than 127 bytes', () => {
    for (const length of [126, 127, 128, 129, 16_383, 16_384, 20_000]) {
      const text = combine({ text: custom({ init: () => '', add: (all, value: string) => all + value }), n: count() })
      const bytes = encoded(text, ['x'.repeat(length)])
      const back = text.state.decode(byteSource(bytes), 0, bytes.length)
      expect(text.result(back)).toEqual({ text: 'x'.repeat(length), n: 1 })
    }
  })

  it('describes itself by its parts', () => {
    expect(revenue().kind).toBe('{ orders: count, revenue: sum(2 decimals) }')
  })

  it('refuses a record of nothing', () => {
    expect(() => combine({})).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })

  it('has types that follow from its parts', () => {
    const one = combine({ orders: count(), revenue: sum((p: Payment) => p.amount) })
    expectTypeOf(one.result).returns.toEqualTypeOf<{ orders: number; revenue: number }>()
    expectTypeOf(one.add).parameter(1).toEqualTypeOf<Payment>()
    // @ts-expect-error: not a payment
    expectTypeOf(one.add).toBeCallableWith(one.init(), { amount: 'a lot' }, 0)
  })
})
