import { describe, expect, it } from 'vitest'
import { type ErrorPolicies, groupBy, map, reduce, stream, string, to, topology, toStream } from '../../src/index.ts'
import { BatchWriter } from '../../src/log/batch/batch-writer.ts'
import { memoryLog } from '../../src/log/memory.ts'
import type { Headers } from '../../src/record.ts'
import { run } from '../../src/runtime/run.ts'
import { readRecords } from '../support/records.ts'

/** Topics that take smaller batches than others. */
const MOST = 10_000

async function written(
  values: readonly string[],
  headers: Headers = [],
  configs: Record<string, number> = { out: MOST },
) {
  const log = memoryLog()
  await log.connect()
  await log.admin.create(
    ['in', 'out', ...Object.keys(configs)].map((topic) => ({
      topic,
      partitions: 1,
      config: configs[topic] ? { 'max.message.bytes': `${configs[topic]}` } : undefined,
    })),
  )
  const producer = log.producer()
  await producer.init()
  const writer = new BatchWriter()
  for (const [n, value] of values.entries())
    writer.append(1_000 + n, Buffer.from(`key-${n}`), Buffer.from(value), headers)
  await producer.send('in', 0, writer.finish())
  return log
}

const values = async (log: ReturnType<typeof memoryLog>, topic: string) =>
  (await readRecords(log, topic)).map(({ value }) => value)

const copied = topology('copied', [
  stream('in', { key: string(), value: string() }).pipe(to('out', { key: string(), value: string() })),
])

it.each([
  ['many small records', Array.from({ length: 5_000 }, (_, n) => `value ${n}`), []],
  ['records of nearly the limit', Array.from({ length: 7 }, (_, n) => `${n}`.padEnd(MOST - 80, 'x')), []],
  [
    'records whose headers are larger than they are',
    Array.from({ length: 200 }, (_, n) => `${n}`),
    [['trace', Buffer.alloc(500, 'h')] as const],
  ],
])('%s go to a topic with a low limit in batches that it takes', async (_, input, headers) => {
  const log = await written(input, headers)
  const job = await run(copied, { log, logger: false, commitIntervalMs: 10 })
  await job.caughtUp()
  expect(await values(log, 'out')).toEqual(input)
  await job.stop()
})

describe('a record that is larger than what its topic takes', () => {
  const input = ['before', 'x'.repeat(2 * MOST), 'after']
  const copying = async (refused?: ErrorPolicies['refused']) => {
    const log = await written(input)
    const job = await run(copied, { log, logger: false, commitIntervalMs: 10, errors: { refused } })
    return { log: log.peer(), job }
  }

  it('goes to the dead letters, is counted, and the rest goes on', async () => {
    const { log, job } = await copying()
    await job.caughtUp()
    expect(await values(log, 'out')).toEqual(['before', 'after'])
    expect(await readRecords(log, 'copied-dead-letters')).toMatchObject([{ key: 'key-1', value: input[1] }])
    expect(await job.metrics.text()).toMatch(/dead_lettered_total\{.*reason="RECORD_TOO_LARGE"\} 1/)
    await job.stop()
  })

  it('is skipped and counted where the policy says so', async () => {
    const { log, job } = await copying('skip')
    await job.caughtUp()
    expect(await values(log, 'out')).toEqual(['before', 'after'])
    expect(await values(log, 'copied-dead-letters')).toEqual([])
    expect(await job.metrics.text()).toMatch(/skipped_total\{.*reason="RECORD_TOO_LARGE"\} 1/)
    await job.stop()
  })

  it('stops the job where the policy says so, and says which topic and what to do', async () => {
    const { log, job } = await copying('fail')
    await expect(job.done).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      context: { topic: 'out', partition: 0 },
      hint: expect.stringMatching(/max\.message\.bytes/),
    })
    expect(await values(log, 'out')).toEqual([])
  })

  it('leaves a dead letter without its bytes where the dead letters take less, too', async () => {
    const log = await written(input, [], { out: MOST, 'copied-dead-letters': 2_000 })
    const job = await run(copied, { log, logger: false, commitIntervalMs: 10 })
    await job.caughtUp()
    expect(await values(log, 'out')).toEqual(['before', 'after'])
    expect(await readRecords(log, 'copied-dead-letters')).toMatchObject([{ key: null, value: null, timestamp: 1_001 }])
    await job.stop()
  })
})

it('a record that is too large for a repartition topic is a dead letter, and time goes on', async () => {
  const grouped = topology('grouped', [
    stream('in', { key: string(), value: string() }).pipe(
      groupBy((value) => value.slice(0, 1)),
      reduce('last', (_, value) => value),
      toStream(),
      map((value, key) => [key, `${value}`.slice(0, 10)]),
      to('out', { key: string(), value: string() }),
    ),
  ])
  const letter = 'b'.repeat(2 * MOST)
  const log = await written(['a', letter, 'c'], [], { 'grouped-last-repartition': MOST })
  const job = await run(grouped, { log, logger: false, commitIntervalMs: 10 })
  await job.caughtUp()
  expect((await values(log, 'out')).sort()).toEqual(['a', 'c'])
  expect(await readRecords(log, 'grouped-dead-letters')).toMatchObject([{ value: letter }])
  await job.stop()
})

it('state that is too large for its changelog stops the job whatever the policies: it cannot be left out', async () => {
  const reduced = topology('reduced', [
    stream('in', { key: string(), value: string() }).pipe(
      groupBy(() => 'all'),
      reduce('joined', (joined, value) => joined + value),
      toStream(),
      map((value, key) => [key, `${value}`.length.toString()]),
      to('out', { key: string(), value: string() }),
    ),
  ])
  const log = await written(
    Array.from({ length: 10 }, () => 'x'.repeat(2_000)),
    [],
    { 'reduced-joined-changelog': MOST },
  )
  const job = await run(reduced, {
    log,
    logger: false,
    commitIntervalMs: 10,
    errors: { refused: 'skip', failing: 'skip' },
  })
  await expect(job.done).rejects.toMatchObject({
    code: 'RECORD_TOO_LARGE',
    context: { topic: 'reduced-joined-changelog' },
    hint: expect.stringMatching(/changelog/),
  })
})
