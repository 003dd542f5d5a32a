import fc from 'fast-check'
import { expect, it } from 'vitest'
import { string } from '../../src/index.ts'
import { newEntry } from '../../src/state/changes.ts'
import { keysOf } from '../../src/state/keys.ts'
import type { Entry } from '../../src/state/store.ts'
import { firstAtOrAfter, timelines } from '../../src/state/timelines.ts'

const SPAN = 10
const keys = keysOf(string().open({ topic: 'test', part: 'key' }))

type Step =
  | { readonly do: 'insert'; readonly key: string; readonly start: number }
  | { readonly do: 'remove'; readonly key: string; readonly index: number }
  | { readonly do: 'drop'; readonly before: number }

const key = fc.constantFrom('a', 'b', 'a key of many characters')
const start = fc.integer({ min: 0, max: 200 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('insert' as const), key, start }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), key, index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), before: start }) },
)

const byStart = (a: Entry<string, string>, b: Entry<string, string>) => a.start - b.start
const named = ({ key: of, start: at }: Entry<string, string>) => `${of}@${at}`

it('holds what a plain list would, in order, and drops whole slots of what has expired', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), start, start, (steps, from, to) => {
      const lines = timelines<string, Entry<string, string>>(keys, SPAN)
      let model: Entry<string, string>[] = []
      for (const each of steps) {
        if (each.do === 'insert') {
          const list = lines.of(each.key)
          const at = firstAtOrAfter(list, each.start)
          if (list[at]?.start === each.start) continue
          const entry = newEntry(each.key, each.start, 'value', each.start)
          lines.insert(entry, at)
          model.push(entry)
        } else if (each.do === 'remove') {
          const list = lines.of(each.key)
          if (each.index >= list.length) continue
          const entry = list[each.index]
          lines.removeAt(each.key, each.index)
          model = model.filter((other) => other !== entry)
        } else {
          const end = Math.floor(each.before / SPAN) * SPAN
          const dropped: string[] = []
          lines.dropBefore(each.before, (entry) => dropped.push(named(entry)))
          expect(dropped.sort()).toEqual(
            model
              .filter((entry) => entry.start < end)
              .map(named)
              .sort(),
          )
          model = model.filter((entry) => entry.start >= end)
        }
        for (const of of ['a', 'b', 'a key of many characters']) {
          expect(lines.of(of).map(named)).toEqual(
            model
              .filter((entry) => entry.key === of)
              .sort(byStart)
              .map(named),
          )
        }
      }
      expect(lines.size).toBe(model.length)
      expect([...lines.all()].map(named).sort()).toEqual(model.map(named).sort())
      const inRange = model.filter((entry) => entry.start >= from && entry.start <= to)
      expect(lines.between(from, to).map(named).sort()).toEqual(inRange.map(named).sort())
    }),
  )
})
