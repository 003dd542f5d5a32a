import { expect, it } from 'vitest'
import { qualityExample } from '../../examples/quality/example.ts'
import { expected } from '../../examples/quality/expected.ts'
import { generate } from '../../examples/quality/generate.ts'
import { type QualitySinks, quality } from '../../examples/quality/job.ts'
import type { RawOrder } from '../../examples/quality/model.ts'
import { observe } from '../../src/index.ts'
import { driven, fates, partsInMemory, playInMemory } from './play.ts'

const sinks = (): QualitySinks => ({ rejected: observe('lake'), scores: observe('table') })
const example = qualityExample(sinks)

it.each([
  [1, 1],
  [2, 3],
])(
  'seed %i over %i partitions: verdicts, reasons and scores are those of plain conditions',
  async (seed, partitions) => {
    const arrivals = generate(seed, 3_000)
    const { driver, read } = await driven(quality(sinks()), example, arrivals, partitions)
    const { problems } = await example.check(read, arrivals, partsInMemory('quality'))
    expect(problems).toEqual([])
    const { rejected, scores } = expected(arrivals)
    // Every mistake that there is has been made.
    expect(new Set([...rejected.values()].flat()).size).toBe(7)
    expect(new Set([...scores.values()].map(({ score }) => score)).size).toBeGreaterThan(3)
    expect(driver.rows('observe:lake').length).toBeGreaterThanOrEqual(rejected.size)
    const { late, broken } = fates(arrivals)
    const dropped = driver.droppedByReason()
    const copies = arrivals.filter(({ fate, value }) => fate === 'copy' && (value as RawOrder).order_id !== '')
    expect(dropped.get('duplicate')).toBe(copies.length)
    expect(dropped.get('late')).toBe(late)
    expect(driver.deadLetters().length + dropped.get('null-key')!).toBe(broken)
  },
)

it('runs over a log, whatever is committed when', async () => {
  const { problems } = await playInMemory(example, generate(3, 3_000))
  expect(problems).toEqual([])
})
