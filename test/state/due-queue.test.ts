import fc from 'fast-check'
import { expect, it } from 'vitest'
import { dueQueue } from '../../src/state/due-queue.ts'

it('gives items by time, then in their order, whatever order they came in', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(10), fc.nat(10)), { maxLength: 100 }), fc.nat(100), (items, cut) => {
      const queue = dueQueue<readonly [number, number]>((a, b) => a[1] < b[1])
      const taken: (readonly [number, number])[] = []
      const expected: (readonly [number, number])[] = []
      const inOrder = (all: readonly (readonly [number, number])[]) =>
        all.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
      const drain = () => {
        for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item)
      }
      for (const part of [items.slice(0, cut), items.slice(cut)]) {
        for (const item of part) queue.put(item, item[0])
        expect(queue.next).toBe(part.length ? Math.min(...part.map(([time]) => time)) : Number.POSITIVE_INFINITY)
        drain()
        expected.push(...inOrder(part))
      }
      expect(taken).toEqual(expected)
    }),
  )
})
