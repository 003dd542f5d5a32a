import { expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { stream, string, to, topology } from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { batchOf } from '../../src/testing/contracts/log/fixture.ts'
import { readRecords } from '../support/records.ts'

/** More output than waits for the next commit. */
const VALUES = Array.from({ length: 60 }, (_, n) => `${n}`.padEnd(100_000, 'x'))

const copied = topology('copied', [
  stream('in', { key: string(), value: string() }).pipe(to('out', { key: string(), value: string() })),
])

it('a job whose producer is found to be fenced when output is sent ahead of its commit starts over', async () => {
  const log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  const writer = log.producer()
  await writer.init()
  await Promise.all(VALUES.map((value) => writer.send('in', 0, batchOf(['key', value]))))
  let begun = 0
  const make = log.producer.bind(log)
  log.producer = (options) => {
    const producer = make(options)
    const begin = producer.begin.bind(producer)
    producer.begin = () => {
      if (begun++ === 0) throw new MillraceError('FENCED', 'another has taken over')
      begin()
    }
    return producer
  }
  const job = await run(copied, { log, logger: false, commitIntervalMs: 1_000 })
  await job.caughtUp()
  expect((await readRecords(log, 'out')).map(({ value }) => value)).toEqual(VALUES)
  expect(begun).toBeGreaterThan(1)
  await job.stop()
})
