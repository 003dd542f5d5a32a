import { expect, it } from 'vitest'
import { fraudExample } from '../../examples/fraud/example.ts'
import { expectedAlerts } from '../../examples/fraud/expected.ts'
import { generate } from '../../examples/fraud/generate.ts'
import { fraud, serdes } from '../../examples/fraud/job.ts'
import type { FraudAlert } from '../../examples/fraud/model.ts'
import { driven, fates, partsInMemory, playInMemory } from './play.ts'

it.each([
  [1, 1],
  [2, 3],
])('seed %i over %i partitions: the alerts are those of the plain loops', async (seed, partitions) => {
  const arrivals = generate(seed, 3_000)
  const { driver, read } = await driven(fraud(), fraudExample, arrivals, partitions)
  const { problems } = await fraudExample.check(read, arrivals, partsInMemory('fraud'))
  expect(problems).toEqual([])
  expect(expectedAlerts(arrivals).size).toBeGreaterThan(10)
  const { 'in time': _, ...mess } = fates(arrivals)
  expect(Object.keys(mess).sort()).toEqual(['broken', 'copy', 'late'])
  const dropped = driver.droppedByReason()
  expect(dropped.get('duplicate')).toBe(mess.copy)
  expect(dropped.get('late')).toBe(mess.late)
  expect(driver.deadLetters().length + dropped.get('null-key')!).toBe(mess.broken)
})

it('runs over a log, whatever is committed when', async () => {
  const { problems, lines } = await playInMemory(fraudExample, generate(3, 2_000))
  expect(problems).toEqual([])
  expect(lines.length).toBe(2)
})

it('tells what is missing, wrong or too much', async () => {
  const arrivals = generate(1, 2_000)
  const { read } = await driven(fraud(), fraudExample, arrivals, 1)
  const alerts = await read('alerts', serdes.alerts)
  const [gone] = alerts
  const left = alerts.filter(({ key }) => JSON.stringify(key) !== JSON.stringify(gone.key))
  const one = left[0] as { value: FraudAlert }
  const last = left.at(-1)!
  const changed = [...left, { ...last, value: { ...last.value, amount: one.value.amount + 1 } }]
  const { problems } = await fraudExample.check(async () => changed as never, arrivals, partsInMemory('fraud'))
  expect(problems).toHaveLength(2)
  expect(problems[0]).toContain('expected')
  expect(problems[1]).toContain('is missing')
})
