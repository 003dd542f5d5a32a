import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SlotList } from '../../src/state/slot-list.ts'

const steps = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ push: fc.nat(2 ** 24) }) },
    { weight: 5, arbitrary: fc.constant('pop' as const) },
    { weight: 1, arbitrary: fc.constant('empty' as const) },
  ),
  { maxLength: 600, size: 'max' },
)

it('holds what an array holds', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const list = new SlotList()
      const model: number[] = []
      for (const step of all) {
        if (step === 'empty') {
          list.clear()
          model.length = 0
        } else if (step === 'pop') {
          if (model.length > 0) expect(list.pop()).toBe(model.pop())
        } else {
          list.push(step.push)
          model.push(step.push)
        }
        expect(list.length).toBe(model.length)
      }
      expect([...list]).toEqual(model)
      expect(model.map((_, i) => list.at(i))).toEqual(model)
    }),
    { numRuns: 50 },
  )
})
