import { expect, it } from 'vitest'
import { groupByKey, reduce, stream, string, to, topology, toStream } from '../../src/index.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { writeRecords } from '../support/records.ts'

const KIB = 1024
const settings = {
  commitIntervalMs: 3_600_000,
  transactionTimeoutMs: 7_200_000,
  logger: false,
  handleSignals: false,
} as const

/** A log with a backlog, and how much of a partition is asked for at a time, in KiB. */
async function given(batches: number, batchKib: number) {
  const log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  const value = 'x'.repeat(KIB)
  for (let batch = 0; batch < batches; batch++) {
    const records = Array.from({ length: batchKib }, (_, i) => ({ key: `k${i % 10}`, value, timestamp: batch }))
    await writeRecords(log, 'in', records)
  }
  const asked: number[] = []
  const watched: Log = {
    ...log,
    reader(options) {
      const reader = log.reader(options)
      return {
        ...reader,
        async fetch(positions, fetchOptions) {
          if (positions.some(({ topic }) => topic === 'in')) asked.push(fetchOptions.maxBytesPerPartition / KIB)
          return reader.fetch(positions, fetchOptions)
        },
        close: () => reader.close(),
      }
    },
  }
  return { options: { ...settings, log: watched }, asked }
}

const until = async (isSo: () => boolean) => {
  for (let turn = 0; !isSo(); turn++) {
    if (turn > 50_000) throw new Error('never')
    await new Promise(setImmediate)
  }
}

const newest = topology('newest', [
  stream('in', { key: string(), value: string() }).pipe(
    groupByKey(),
    reduce('newest', (_, value) => value),
    toStream(),
    to('out', { key: string(), value: string() }),
  ),
])

it.each([
  { maxBufferedBytes: undefined, asks: 256 },
  { maxBufferedBytes: 32 * 1024 * KIB, asks: 1024 },
])('asks for a thirty-second of maxBufferedBytes: $asks KiB', async ({ maxBufferedBytes, asks }) => {
  const { options, asked } = await given(120, 50)
  const running = await run(newest, { ...options, maxBufferedBytes })
  await until(() => asked.length > 3)
  await running.stop()
  expect(new Set(asked)).toEqual(new Set([asks]))
})

it('asks for whole batches once it has seen how large they are', async () => {
  const { options, asked } = await given(10, 600)
  const running = await run(newest, options)
  await until(() => asked.length > 10)
  await running.stop()
  expect(asked[0]).toBe(256)
  for (const size of asked.slice(1)) expect(size).toBeGreaterThan(600)
})
