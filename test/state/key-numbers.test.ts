import fc from 'fast-check'
import { expect, it } from 'vitest'
import { json } from '../../src/serde/json.ts'
import { KeyNumbers } from '../../src/state/key-numbers.ts'
import { keysOf } from '../../src/state/keys.ts'

const keys = keysOf(json<unknown>().open({ topic: 't', part: 'key' }))
// Short, of the longest that is short, a little longer, not ASCII, with a 0, and what is not text.
const text = fc.oneof(
  fc.nat(400).map((n) => `user-${n}`),
  fc.tuple(fc.nat(3), fc.constantFrom(1, 22, 23, 24, 40)).map(([n, length]) => 'abcd'[n].repeat(length)),
  fc.constantFrom('', '\0', '\0\0', 'a\0', 'ä', 'aé', '日本'),
)
const key: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: text },
  { weight: 1, arbitrary: fc.nat(5) },
  { weight: 1, arbitrary: fc.record({ id: fc.nat(3) }) },
)
const step = fc.record({ key, holds: fc.boolean() })

it('a key has one number, and nobody else has it, as long as it is held', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const numbers = new KeyNumbers(keys)
      const held = new Map<string, { key: unknown; number: number; holders: number }>()
      for (const { key, holds } of steps) {
        const name = JSON.stringify(key)
        const one = held.get(name)
        if (holds) {
          const number = numbers.hold(key)
          if (one) {
            expect(number).toBe(one.number)
            one.holders++
          } else held.set(name, { key, number, holders: 1 })
        } else if (one) {
          numbers.release(one.number)
          if (--one.holders === 0) held.delete(name)
        }
        expect(numbers.find(key)).toBe(held.get(name)?.number ?? -1)
      }
      expect(new Set([...held.values()].map(({ number }) => number)).size).toBe(held.size)
      for (const { key, number } of held.values()) expect(numbers.find(key)).toBe(number)
    }),
  )
})

it('numbers are used again, and many keys come and go', () => {
  const numbers = new KeyNumbers(keys)
  let highest = 0
  for (let n = 0; n < 20_000; n++) {
    highest = Math.max(highest, numbers.hold(`user-${n}`))
    if (n >= 3000) numbers.release(numbers.find(`user-${n - 3000}`))
  }
  expect(highest).toBeLessThanOrEqual(3000)
  for (let n = 0; n < 20_000; n++) expect(numbers.find(`user-${n}`) >= 0).toBe(n >= 17_000)
})
