import { expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { stream, string, to, topology } from '../../src/index.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Running, run } from '../../src/runtime/run.ts'
import { batchOf } from '../../src/testing/contracts/log/fixture.ts'
import { readRecords } from '../support/records.ts'

const VALUES = Array.from({ length: 10 }, (_, n) => `value ${n}`)

const copied = topology('copied', [
  stream('in', { key: string(), value: string() }).pipe(to('out', { key: string(), value: string() })),
])

/** `during` runs in the place of the first commit's offsets, which then fail; it is told when the group rebalances. */
function failingOnce(log: Log, during: (rebalancing: Promise<void>) => Promise<void>): Log {
  const announced = Promise.withResolvers<void>()
  let failed = false
  return {
    ...log,
    group: (options) =>
      log.group({
        ...options,
        onRebalancing: () => {
          announced.resolve()
          return options.onRebalancing?.() ?? Promise.resolve()
        },
      }),
    producer: (options) => {
      const producer = log.producer(options)
      const sendOffsets = producer.sendOffsets.bind(producer)
      producer.sendOffsets = async (offsets, stamp) => {
        if (failed) return sendOffsets(offsets, stamp)
        failed = true
        await during(announced.promise)
        throw new MillraceError('UNAVAILABLE', 'the coordinator is away', { retriable: true })
      }
      return producer
    },
  }
}

it('records of a commit that failed are not committed without their offsets when the group rebalances while it stops', async () => {
  const log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  const writer = log.producer()
  await writer.init()
  await writer.send('in', 0, batchOf(...VALUES.map((value) => ['key', value] as [string, string])))
  const options = { logger: false, commitIntervalMs: 20 } as const
  const hasJoined = Promise.withResolvers<Running>()
  const stopped = Promise.withResolvers<void>()
  const first: Running = await run(copied, {
    ...options,
    log: failingOnce(log.peer(), async (rebalancing) => {
      stopped.resolve(first.stop())
      hasJoined.resolve(run(copied, { ...options, log: log.peer() }))
      await rebalancing
    }),
  })
  const second = await hasJoined.promise
  await stopped.promise
  await second.caughtUp()
  expect((await readRecords(log, 'out')).map(({ value }) => value)).toEqual(VALUES)
  await second.stop()
})
