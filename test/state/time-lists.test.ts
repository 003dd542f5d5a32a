import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TimeLists } from '../../src/state/time-lists.ts'

type Element = [time: number, row: number]

it('are what sorted arrays are', () => {
  const step = fc.record({
    kind: fc.constantFrom('insert', 'insert', 'insert', 'row', 'remove'),
    // Lists are made in any order.
    list: fc.constantFrom(0, 3, 40),
    a: fc.nat(),
    time: fc.nat(30),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const lists = new TimeLists()
      const model = new Map<number, Element[]>([0, 3, 40, 41].map((list) => [list, []]))
      for (const { kind, list, a, time } of steps) {
        const of = model.get(list)!
        if (kind === 'insert') {
          const at = lists.firstAtOrAfter(list, time + 1)
          lists.insert(list, at, time, a)
          of.splice(of.filter(([other]) => other <= time).length, 0, [time, a])
        } else if (of.length === 0) continue
        else if (kind === 'row') {
          lists.setRow(list, a % of.length, a)
          of[a % of.length][1] = a
        } else {
          const from = time % of.length
          const to = from + 1 + (a % (of.length - from))
          lists.remove(list, from, to)
          of.splice(from, to - from)
        }
        for (const [number, elements] of model) {
          const length = lists.length(number)
          const there = Array.from({ length }, (_, i) => [lists.time(number, i), lists.row(number, i)])
          expect(there).toEqual(elements)
          expect(lists.firstAtOrAfter(number, time)).toBe(elements.filter(([other]) => other < time).length)
        }
      }
    }),
  )
})
