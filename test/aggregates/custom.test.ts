import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { custom } from '../../src/aggregates/index.ts'
import { byteSource } from '../../src/serde/bytes.ts'
import { aggregateContract } from '../../src/testing/contracts/aggregate.ts'
import { encoded } from './encoded.ts'
import { resultOf } from './values.ts'

aggregateContract('custom, immutable', {
  make: () =>
    custom({
      init: () => '',
      add: (all, value: string) => all + value,
      merge: (a, b) => a + b,
      remove: (all, value) => all.slice(0, all.length - value.length),
    }),
  values: fc.constantFrom('a'),
})
aggregateContract('custom, changing in place', {
  make: () =>
    custom({
      init: () => ({ words: new Map<string, number>(), seen: new Set<string>() }),
      add(all, word: string) {
        all.words.set(word, (all.words.get(word) ?? 0) + 1)
        all.seen.add(word)
        return all
      },
    }),
  values: fc.string(),
})

describe('custom', () => {
  it('keeps any plain data', () => {
    const plain = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: false,
      stringUnit: 'binary',
    })
    const last = custom({ init: () => undefined as unknown, add: (_, value: unknown) => value })
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = encoded(last, [value])
        const back = last.state.decode(byteSource(bytes), 0, bytes.length)
        expect(back).toStrictEqual(value)
      }),
      { numRuns: 1000 },
    )
    for (const value of ['\ud800', 'a\udc00b', '🜁', '', -0, Number.NaN, 2 ** 53, -1, 0.1, -(2n ** 70n)]) {
      const bytes = encoded(last, [value])
      expect(last.state.decode(byteSource(bytes), 0, bytes.length)).toBe(value)
    }
    const bytes = encoded(last, [new Uint8Array([1, 2])])
    expect(last.state.decode(byteSource(bytes), 0, bytes.length)).toEqual(new Uint8Array([1, 2]))
  })

  it('refuses to keep what is no plain data', () => {
    const last = custom({ init: () => undefined as unknown, add: (_, value: unknown) => value })
    class Point {}
    const loop: unknown[] = []
    loop.push(loop)
    for (const value of [() => 1, Symbol('s'), new Point(), [new Point()], { a: { b: /x/ } }, loop]) {
      expect(() => encoded(last, [value])).toThrow(expect.objectContaining({ code: 'UNENCODABLE_RECORD' }))
    }
  })

  it('refuses bytes that say nothing', () => {
    const last = custom({ init: () => undefined as unknown, add: (_, value: unknown) => value })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        try {
          last.state.decode(byteSource(Buffer.from(bytes)), 0, bytes.length)
        } catch (error) {
          expect(error).toMatchObject({ code: 'UNDECODABLE_RECORD' })
        }
      }),
      { numRuns: 5000 },
    )
  })

  it('can give another result than its accumulator', () => {
    const average = custom({
      init: () => ({ total: 0, n: 0 }),
      add: ({ total, n }, value: number) => ({ total: total + value, n: n + 1 }),
      result: ({ total, n }) => `${total / n}`,
    })
    expect(resultOf(average, [1, 2, 3])).toBe('2')
    expectTypeOf(average.result).returns.toEqualTypeOf<string>()
  })

  it('is not believed to be commutative without a neutral merge', () => {
    const own = { init: () => 0, add: (n: number) => n + 1, commutative: true }
    const refused = expect.objectContaining({ code: 'INVALID_OPTION' })
    expect(() => custom(own)).toThrow(refused)
    expect(() => custom({ ...own, merge: (a: number, b: number) => a + b })).toThrow(refused)
    expect(custom({ ...own, merge: (a: number, b: number) => a + b, neutral: true }).commutative).toBe(true)
  })
})
