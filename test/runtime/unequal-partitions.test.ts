import { expect, it } from 'vitest'
import {
  count,
  groupBy,
  groupByKey,
  json,
  merge,
  run,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  windowed,
  windowedBy,
} from '../../src/index.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { readRecords, writeRecords } from '../support/records.ts'

const texts = { key: string(), value: string() }
const large = stream('large', texts)
const small = stream('small', texts)

/** A log with topics of five and two partitions, and every partition that is asked for. */
async function open() {
  const log = memoryLog()
  await log.connect()
  await log.admin.create([
    { topic: 'large', partitions: 5 },
    { topic: 'small', partitions: 2 },
    { topic: 'out', partitions: 1 },
  ])
  for (const [topic, from] of [
    ['large', 0],
    ['small', 50],
  ] as const) {
    const keys = Array.from({ length: 50 }, (_, i) => `k${from + i}`)
    await writeRecords(
      log,
      topic,
      keys.map((key, i) => ({ key, value: `w${i % 3}`, timestamp: i })),
    )
  }
  const asked = new Set<string>()
  const watched: Log = {
    ...log,
    reader(options) {
      const reader = log.reader(options)
      return {
        close: () => reader.close(),
        fetch(partitions, how) {
          for (const { topic, partition } of partitions) asked.add(`${topic}/${partition}`)
          return reader.fetch(partitions, how)
        },
      }
    },
  }
  return { log, watched, asked }
}
const options = { logger: false, commitIntervalMs: 10 } as const

it('reads merged topics of different sizes, and no partition that is not there, over a restart', async () => {
  const { log, watched, asked } = await open()
  const merged = topology('merged', [large.pipe(merge(small), to('out', texts))])
  for (let round = 1; round <= 2; round++) {
    const running = await run(merged, { ...options, log: watched })
    await running.caughtUp()
    await running.stop()
    await log.connect()
    const keys = (await readRecords(log, 'out')).map(({ key }) => key)
    expect(keys).toHaveLength(99 + round)
    expect(new Set(keys).size).toBe(99 + round)
    await writeRecords(log, 'small', [{ key: 'k100', value: 'x', timestamp: 100 }])
  }
  expect([...asked].sort()).toEqual(['large/0', 'large/1', 'large/2', 'large/3', 'large/4', 'small/0', 'small/1'])
})

it('closes windows behind a repartition of such topics', async () => {
  const { log, watched } = await open()
  const counted = topology('counted', [
    large.pipe(
      merge(small),
      groupBy((value) => value),
      windowedBy(tumbling(1_000)),
      count('counts'),
      untilWindowCloses(),
      to('out', { key: windowed(string()), value: json<number>() }),
    ),
  ])
  // Every upstream task must have gone on: one record for each of its partitions, at least.
  await writeRecords(
    log,
    'large',
    Array.from({ length: 60 }, (_, i) => ({ key: `end${i}`, value: 'end', timestamp: 5_000 })),
  )
  const running = await run(counted, { ...options, log: watched })
  const values = async () => (await readRecords(log, 'out')).map(({ value }) => Number(value)).sort((a, b) => a - b)
  await expect.poll(async () => (await values()).length, { timeout: 20_000 }).toBe(3)
  expect(await values()).toEqual([32, 34, 34])
  await running.stop()
})

it('refuses them where records of a key must meet', async () => {
  const { log } = await open()
  const kept = large.pipe(merge(small), groupByKey(), count('n'), toStream())
  const counted = topology('counted', [kept.pipe(to('out', { key: string(), value: json() }))])
  await expect(run(counted, { ...options, log })).rejects.toMatchObject({
    code: 'TOPIC_MISMATCH',
    message: expect.stringMatching(/large has 5, small has 2/),
  })
})
