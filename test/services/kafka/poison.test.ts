import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stateDirectory } from '../../../scripts/services/paths.ts'
import { count, groupBy, json, run, stream, string, to, topology, toStream } from '../../../src/index.ts'
import { ATTRIBUTES, COUNT, RECORDS } from '../../../src/log/batch/layout.ts'
import { kafka } from '../../../src/log/kafka/index.ts'
import type { Log } from '../../../src/log/log.ts'
import { batchOf } from '../../../src/testing/contracts/log/fixture.ts'
import { seal } from '../../log/batch/seal.ts'
import { readRecords } from '../../support/records.ts'
import { kafkaBrokers, uniqueName } from '../../support/services.ts'
import { copying, FOREVER } from './copying.ts'

/** What a real log may hold besides good records. */
let log: Log
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())

const values = async (topic: string) => (await readRecords(log, topic)).map(({ value }) => value)

describe('a running topology on a real Kafka', () => {
  const damages: Record<string, (batch: Buffer) => void> = {
    'has a bad CRC': (batch) => {
      batch[RECORDS + 8] ^= 1
    },
    'has an unknown compression': (batch) => {
      batch[ATTRIBUTES + 1] |= 7
      seal(batch)
    },
    'ends in the middle of a record': (batch) => {
      batch[RECORDS] = 126
      seal(batch)
    },
    'says it has more records than it has': (batch) => {
      batch.writeInt32BE(9, COUNT)
      seal(batch)
    },
  }
  it.each(Object.entries(damages))(
    'passes a batch that, after damage on disk, %s: dead letter, counter, and the rest goes on',
    async (_, damage) => {
      const { name, source, start, copied } = await copying(log)
      const producer = log.producer()
      await producer.init()
      const first = batchOf(['k', 'a', 1])
      await producer.send(source, 0, first)
      await producer.send(source, 0, batchOf(['k', 'to be damaged', 2]))
      await producer.send(source, 0, batchOf(['k', 'b', 3]))
      const file = await open(join(stateDirectory(), 'kafka', 'data', `${source}-0`, `${'0'.repeat(20)}.log`), 'r+')
      const size = batchOf(['k', 'to be damaged', 2]).length
      const { buffer } = await file.read(Buffer.alloc(size), 0, size, first.length)
      damage(buffer)
      await file.write(buffer, 0, size, first.length)
      await file.close()
      const job = await start()
      await job.caughtUp()
      expect(await copied()).toEqual(['a', 'b'])
      expect(await readRecords(log, `${name}-dead-letters`)).toMatchObject([{ key: null }])
      expect(await job.metrics.text()).toMatch(/dead_lettered_total\{.*reason="CORRUPT_BATCH"\} 1/)
      await job.stop()
    },
  )

  it('takes times in the far future through repartition topics, changelogs and dead letters', async () => {
    const name = uniqueName('future')
    await log.admin.create(['in', 'out'].map((of) => ({ topic: `${name}-${of}`, partitions: 2, config: FOREVER })))
    const counting = topology(name, [
      stream(`${name}-in`, { key: string(), value: json<string>() }).pipe(
        groupBy((value) => value),
        count('counts'),
        toStream(),
        to(`${name}-out`, { key: string(), value: json<number | null>() }),
      ),
    ])
    const producer = log.producer()
    await producer.init()
    const year2200 = Date.UTC(2200, 0)
    await producer.send(`${name}-in`, 0, batchOf(['k', '"word"', year2200], ['k', 'no JSON', year2200]))
    const job = await run(counting, { log: kafka({ brokers: kafkaBrokers() }), logger: false, commitIntervalMs: 50 })
    await job.caughtUp()
    expect(await readRecords(log, `${name}-out`)).toMatchObject([{ key: 'word', value: '1', timestamp: year2200 }])
    expect(await readRecords(log, `${name}-dead-letters`)).toMatchObject([{ value: 'no JSON', timestamp: year2200 }])
    await job.stop()
  })

  it('cuts its batches to what a topic takes, and a record that is larger is a dead letter', async () => {
    const name = uniqueName('large')
    const most = 10_000
    await log.admin.create([
      { topic: `${name}-in`, partitions: 1 },
      { topic: `${name}-out`, partitions: 1, config: { 'max.message.bytes': `${most}` } },
    ])
    const copy = topology(name, [
      stream(`${name}-in`, { key: string(), value: string() }).pipe(
        to(`${name}-out`, { key: string(), value: string() }),
      ),
    ])
    const small = Array.from({ length: 5_000 }, (_, n) => `value ${n}`)
    // One byte more makes its batch too large.
    const fits = 'f'.repeat(most - (batchOf(['k', 'x'.repeat(9_000)]).length - 9_000))
    expect(batchOf(['k', fits]).length).toBe(most)
    const producer = log.producer()
    await producer.init()
    for (const value of [fits, `${fits}!`, 'x'.repeat(5 * most)])
      await producer.send(`${name}-in`, 0, batchOf(['k', value]))
    await producer.send(`${name}-in`, 0, batchOf(...small.map((value) => ['k', value] as const)))
    const start = (refused?: 'fail') =>
      run(copy, { log: kafka({ brokers: kafkaBrokers() }), logger: false, commitIntervalMs: 50, errors: { refused } })
    const stopped = await start('fail')
    await expect(stopped.done).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      context: { topic: `${name}-out` },
      hint: expect.stringMatching(/max.message.bytes/),
    })
    expect(await values(`${name}-out`)).toEqual([])
    const job = await start()
    await job.caughtUp()
    expect(await values(`${name}-out`)).toEqual([fits, ...small])
    expect(await values(`${name}-dead-letters`)).toEqual([`${fits}!`, 'x'.repeat(5 * most)])
    expect(await job.metrics.text()).toMatch(/dead_lettered_total\{.*reason="RECORD_TOO_LARGE"\} 2/)
    await job.stop()
  })
})
