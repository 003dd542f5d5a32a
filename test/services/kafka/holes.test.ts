import { afterAll, beforeAll, expect, it } from 'vitest'
import { kafka } from '../../../src/log/kafka/index.ts'
import type { Log } from '../../../src/log/log.ts'
import { batchOf, eventually } from '../../../src/testing/contracts/log/fixture.ts'
import { keptLog } from '../../support/log-lines.ts'
import { readRecords } from '../../support/records.ts'
import { kafkaBrokers } from '../../support/services.ts'
import { copying } from './copying.ts'

/** Offsets at which a real log has no record: trimmed, aborted, compacted. */
let log: Log
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())

it.each([
  ['fail', undefined],
  ['earliest', ['c', 'd']],
  ['latest', ['d']],
] as const)('goes on by the policy where the committed offset is gone: %s', async (outOfRange, expected) => {
  const { source, start, copied } = await copying(log)
  const producer = log.producer()
  await producer.init()
  const write = async (...written: readonly string[]) => {
    for (const value of written) await producer.send(source, 0, batchOf(['k', value, 1]))
  }
  await write('a')
  const first = await start()
  await first.caughtUp()
  await first.stop()
  await write('b', 'c')
  await log.admin.trim([{ topic: source, partition: 0, offset: 2 }])
  const { logger, lines } = keptLog()
  const job = await start({ outOfRange, logger })
  if (expected === undefined) {
    await expect(job.done).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      context: { topic: source, partition: 0, offset: 1 },
    })
    return
  }
  await eventually(() => expect(lines.find(({ msg }) => msg.startsWith('offset out of range'))?.level).toBe(50))
  await write('d')
  await job.caughtUp()
  expect(await copied()).toEqual(['a', ...expected])
  await job.stop()
})

it('sees no record of aborted transactions that interleave, from the start and from the middle', async () => {
  const { source, start, copied } = await copying(log)
  const producers = await Promise.all(
    [0, 1, 2].map(async (n) => {
      const producer = log.producer({ transactionalId: `${source}-${n}` })
      await producer.init()
      return producer
    }),
  )
  const expected: string[] = []
  for (let round = 0; round < 6; round++) {
    for (const producer of producers) producer.begin()
    for (const half of ['x', 'y'])
      for (const [n, producer] of producers.entries())
        await producer.send(source, 0, batchOf(['k', `${round}.${n}.${half}`, 1]))
    // One commits, two abort; another one each time, and in another order.
    for (const k of [0, 1, 2]) {
      const n = (k + round) % 3
      if (n === round % 3) await producers[n].commit()
      else await producers[n].abort()
    }
    expected.push(`${round}.${round % 3}.x`, `${round}.${round % 3}.y`)
  }
  const job = await start()
  await job.caughtUp()
  expect(await copied()).toEqual(expected)
  await job.stop()
  const [{ offset: end }] = await log.admin.endOffsets([{ topic: source, partition: 0 }])
  const reader = log.reader()
  const whole = await readRecords(log, source)
  expect(whole.map(({ value }) => value)).toEqual(expected)
  for (let from = 0; from < end; from++) {
    let seen = 0
    for (let offset = from; offset < end; ) {
      const [fetched] = await reader.fetch([{ topic: source, partition: 0, offset }], {
        maxBytes: 1e6,
        maxBytesPerPartition: 1e6,
        maxWaitMs: 100,
      })
      if (!fetched) continue
      for (const batch of fetched.batches)
        for (let i = 0; i < batch.count; i++) {
          if (batch.offsets[i] < from) continue
          seen++
          expect(expected).toContain(batch.buffer.toString('utf8', batch.valueStart[i], batch.valueEnd[i]))
        }
      offset = fetched.next
    }
    expect(seen).toBeLessThanOrEqual(expected.length)
  }
  await reader.close()
})

it('goes past the holes of a compacted topic', async () => {
  const { source, start, copied } = await copying(log, {
    'cleanup.policy': 'compact',
    'min.cleanable.dirty.ratio': '0.0',
    'segment.bytes': '1048576',
    'segment.ms': '100',
    'max.compaction.lag.ms': '100',
  })
  const producer = log.producer()
  await producer.init()
  const now = Date.now()
  for (let n = 0; n < 40; n++) await producer.send(source, 0, batchOf([`k${n % 4}`, `${n}`, now + n * 200]))
  await eventually(async () => expect((await readRecords(log, source)).length).toBeLessThan(20), 40_000)
  const job = await start()
  await job.caughtUp()
  const left = await copied()
  expect(left.slice(-4)).toEqual(['36', '37', '38', '39'])
  expect(left.length).toBeLessThan(40)
  await job.stop()
})
