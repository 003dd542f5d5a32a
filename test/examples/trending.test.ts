import { expect, it } from 'vitest'
import { trendingExample } from '../../examples/trending/example.ts'
import { generate } from '../../examples/trending/generate.ts'
import { trending } from '../../examples/trending/job.ts'
import type { Trend } from '../../examples/trending/model.ts'
import { observe, type Windowed } from '../../src/index.ts'
import { driven, fates, partsInMemory, playInMemory } from './play.ts'

const table = () => observe<Windowed<string>, Trend>('table')
const example = trendingExample(table)

it.each([
  [1, 1],
  [2, 3],
])('seed %i over %i partitions: the ten best are those of the plain loops', async (seed, partitions) => {
  const arrivals = generate(seed, 4_000)
  const { driver, read } = await driven(trending(table()), example, arrivals, partitions)
  const { problems, lines } = await example.check(read, arrivals, partsInMemory('trending'))
  expect(problems).toEqual([])
  const rows = driver.rows('observe:table')
  expect(lines[0]).toBe(`${rows.length} windows, ${fates(arrivals).late} late sales`)
  expect(rows.length).toBeGreaterThan(300)
  expect(rows.some(({ value }) => (value as Trend).products.length === 10)).toBe(true)
})

it('runs over a log, whatever is committed when', async () => {
  const { problems } = await playInMemory(example, generate(3, 4_000))
  expect(problems).toEqual([])
})
