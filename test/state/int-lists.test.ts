import fc from 'fast-check'
import { expect, it } from 'vitest'
import { IntLists } from '../../src/state/int-lists.ts'

it('are what arrays are', () => {
  const step = fc.record({
    kind: fc.constantFrom('make', 'insert', 'insert', 'set', 'remove', 'free'),
    a: fc.nat(),
    b: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const lists = new IntLists()
      const model = new Map<number, number[]>()
      for (const { kind, a, b } of steps) {
        const list = [...model.keys()][a % model.size]
        const of = model.get(list)
        if (kind === 'make') model.set(lists.make(a), [a])
        else if (of === undefined) continue
        else if (kind === 'insert') {
          lists.insert(list, b % (of.length + 1), a)
          of.splice(b % (of.length + 1), 0, a)
        } else if (kind === 'set') {
          lists.set(list, b % of.length, a)
          of[b % of.length] = a
        } else if (kind === 'remove') {
          const from = b % of.length
          const to = from + 1 + (a % (of.length - from))
          if (to - from === of.length) continue
          lists.remove(list, from, to)
          of.splice(from, to - from)
        } else {
          lists.free(list)
          model.delete(list)
        }
        for (const [number, elements] of model) {
          expect(Array.from({ length: lists.length(number) }, (_, i) => lists.get(number, i))).toEqual(elements)
        }
      }
    }),
  )
})
