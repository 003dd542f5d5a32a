import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copied } from '../../src/aggregates/clone.ts'

describe('copied', () => {
  it('makes what structuredClone makes', () => {
    const plain = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
    })
    fc.assert(
      fc.property(plain, (value) => {
        expect(copied(value)).toStrictEqual(structuredClone(value))
      }),
      { numRuns: 1000 },
    )
  })

  it('shares nothing with what it was made of', () => {
    const flat = { n: -0, text: 'a', big: 1n, none: null }
    const nested = { list: [flat] }
    const [a, b] = [copied(flat), copied(nested)]
    flat.n = 1
    expect(a).toStrictEqual({ n: -0, text: 'a', big: 1n, none: null })
    expect(b).toStrictEqual({ list: [{ n: -0, text: 'a', big: 1n, none: null }] })
  })

  it('keeps fields that have strange names', () => {
    const value = JSON.parse('{ "__proto__": 1, "constructor": 2 }')
    expect(Object.entries(copied(value))).toEqual(Object.entries(value))
  })

  it('refuses what structuredClone refuses', () => {
    for (const value of [{ f: () => 1 }, { s: Symbol('s') }]) expect(() => copied(value)).toThrow(DOMException)
  })
})
