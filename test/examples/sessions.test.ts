import { expect, it } from 'vitest'
import { sessionsExample } from '../../examples/sessions/example.ts'
import { expected } from '../../examples/sessions/expected.ts'
import { generate } from '../../examples/sessions/generate.ts'
import { sessions } from '../../examples/sessions/job.ts'
import { driven, fates, partsInMemory, playInMemory } from './play.ts'

it.each([
  [1, 1],
  [2, 3],
])('seed %i over %i partitions: visits and funnel are those of the plain loops', async (seed, partitions) => {
  const arrivals = generate(seed, 3_000)
  const example = sessionsExample(partitions)
  const { driver, read } = await driven(sessions(), example, arrivals, partitions)
  const { problems } = await example.check(read, arrivals, partsInMemory('sessions'))
  expect(problems).toEqual([])
  const { visits, funnel } = expected(arrivals, partitions)
  expect(visits.size).toBeGreaterThan(300)
  expect(new Set([...visits.values()].map(({ furthest }) => furthest)).size).toBe(3)
  expect(funnel.size).toBeGreaterThan(30)
  const { copy, late, broken } = fates(arrivals)
  const dropped = driver.droppedByReason()
  expect(dropped.get('duplicate')).toBe(copy)
  expect(dropped.get('late')).toBe(late)
  expect(driver.deadLetters().length + dropped.get('null-key')!).toBe(broken)
})

it('runs over a log, whatever is committed when', async () => {
  const { problems } = await playInMemory(sessionsExample(), generate(3, 3_000))
  expect(problems).toEqual([])
})
