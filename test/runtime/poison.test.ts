import { describe, expect, it, vi } from 'vitest'
import { type ErrorPolicies, stream, string, to, topology } from '../../src/index.ts'
import { ATTRIBUTES, RECORDS } from '../../src/log/batch/layout.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { batchOf } from '../../src/testing/contracts/log/fixture.ts'
import { seal } from '../log/batch/seal.ts'
import { keptLog } from '../support/log-lines.ts'
import { readRecords } from '../support/records.ts'

/** Batches that nobody can read, in the middle of a topic. */
const poisons: Record<string, (batch: Buffer) => void> = {
  'a bad CRC': (batch) => {
    batch[RECORDS + 3] ^= 1
  },
  'an unknown compression': (batch) => {
    batch[ATTRIBUTES + 1] |= 7
    seal(batch)
  },
  'a record that is cut off': (batch) => {
    batch[RECORDS] = 126
    seal(batch)
  },
}

const copied = topology('copied', [
  stream('in', { key: string(), value: string() }).pipe(to('out', { key: string(), value: string() })),
])

async function poisoned(hurt: (batch: Buffer) => void) {
  const log = memoryLog()
  await log.connect()
  await log.admin.create([
    { topic: 'in', partitions: 1 },
    { topic: 'out', partitions: 1 },
  ])
  const producer = log.producer()
  await producer.init()
  const bad = batchOf(['k', 'bad', 1], ['k', 'worse', 2])
  hurt(bad)
  await producer.send('in', 0, batchOf(['k', 'a', 1], ['k', 'b', 2]))
  await producer.send('in', 0, bad)
  await producer.send('in', 0, batchOf(['k', 'c', 3]))
  return { log, bad }
}

describe.each(Object.entries(poisons))('%s', (_, hurt) => {
  const running = async (undecodable: ErrorPolicies['undecodable']) => {
    const { log, bad } = await poisoned(hurt)
    const job = await run(copied, { log, logger: false, commitIntervalMs: 10, errors: { undecodable } })
    return { log: log.peer(), job, bad }
  }

  it('goes to the dead letters, is counted, and the rest goes on', async () => {
    const { log, job, bad } = await running('dead-letter')
    await job.caughtUp()
    const text = await job.metrics.text()
    expect((await readRecords(log, 'out')).map(({ value }) => value)).toEqual(['a', 'b', 'c'])
    expect(await readRecords(log, 'copied-dead-letters')).toMatchObject([{ key: null }])
    const [letter] = await readRecords(log, 'copied-dead-letters')
    expect(Buffer.from(letter.value!, 'latin1').subarray(8).equals(bad.subarray(8))).toBe(true)
    expect(text).toMatch(/dead_lettered_total\{.*reason="CORRUPT_BATCH"\} 1/)
    await job.stop()
  })

  it('is skipped and counted where the policy says so', async () => {
    const { log, job } = await running('skip')
    await job.caughtUp()
    expect((await readRecords(log, 'out')).map(({ value }) => value)).toEqual(['a', 'b', 'c'])
    expect(await readRecords(log, 'copied-dead-letters')).toEqual([])
    expect(await job.metrics.text()).toMatch(/reason="CORRUPT_BATCH"\} 1/)
    await job.stop()
  })

  it('stops the job where the policy says so, and says where it is', async () => {
    const { log, job } = await running('fail')
    await expect(job.done).rejects.toMatchObject({
      code: 'UNDECODABLE_RECORD',
      context: { topic: 'in', partition: 0, offset: 2 },
    })
    expect((await readRecords(log, 'copied-dead-letters')).length).toBe(0)
  })
})

it('a dead letter of a batch is not committed before the records in front of it', async () => {
  const { log } = await poisoned(poisons['a bad CRC'])
  const seen: number[] = []
  const slow = topology('slow', [
    stream('in', { key: string(), value: string() }).pipe(to('out', { key: string(), value: string() })),
  ])
  const job = await run(
    slow,
    { log, logger: false, commitIntervalMs: 1 },
    {
      async onStep(step) {
        if (step !== 'done') return
        const letters = await readRecords(log.peer(), 'slow-dead-letters')
        const out = await readRecords(log.peer(), 'out')
        if (letters.length > 0) seen.push(out.length)
      },
    },
  )
  await job.caughtUp()
  await job.stop()
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(2)
})

describe('an offset that is not there any more is met as the policy says, never silently:', () => {
  async function trimmed(outOfRange: 'fail' | 'earliest' | 'latest') {
    const log = memoryLog()
    await log.connect()
    await log.admin.create([
      { topic: 'in', partitions: 1 },
      { topic: 'out', partitions: 1 },
    ])
    const producer = log.producer()
    await producer.init()
    const options = { commitIntervalMs: 5, outOfRange } as const
    await producer.send('in', 0, batchOf(['k', 'a', 1], ['k', 'b', 2]))
    const first = await run(copied, { log: log.peer(), logger: false, ...options })
    await first.caughtUp()
    await first.stop()
    for (const value of ['c', 'd', 'e', 'f']) await producer.send('in', 0, batchOf(['k', value, 3]))
    await log.admin.trim([{ topic: 'in', partition: 0, offset: 4 }])
    const { logger, lines } = keptLog('error')
    const job = await run(copied, { log: log.peer(), logger, ...options })
    return { log, producer, job, lines, values: async () => (await readRecords(log, 'out')).map(({ value }) => value) }
  }

  it('fail', async () => {
    const { job } = await trimmed('fail')
    await expect(job.done).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      context: { topic: 'in', partition: 0, offset: 2 },
    })
  })

  it('earliest', async () => {
    const { job, values, lines } = await trimmed('earliest')
    await job.caughtUp()
    expect(await values()).toEqual(['a', 'b', 'e', 'f'])
    expect(lines[0]).toMatchObject({ offset: 2, to: 4 })
    await job.stop()
  })

  it('latest', async () => {
    const { producer, job, values, lines } = await trimmed('latest')
    await vi.waitUntil(() => lines.length > 0, { timeout: 10_000, interval: 5 })
    await producer.send('in', 0, batchOf(['k', 'g', 4]))
    await job.caughtUp()
    expect(await values()).toEqual(['a', 'b', 'g'])
    expect(lines[0]).toMatchObject({ offset: 2, to: 6 })
    await job.stop()
  })
})
