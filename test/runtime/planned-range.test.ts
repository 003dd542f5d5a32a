import { describe, expect, it, vi } from 'vitest'
import { peek, type SinkDefinition, stream, string, to, topology } from '../../src/index.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import type { RunOptions } from '../../src/runtime/options.ts'
import { type RunHooks, run } from '../../src/runtime/run.ts'
import type { SinkBatch } from '../../src/sinks/sink.ts'
import { batchOf } from '../../src/testing/contracts/log/fixture.ts'
import { keptLog } from '../support/log-lines.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'

/**
 * An application that died when its append sink had written a batch and nothing was committed. The range that it had
 * planned ends behind an offset at which there is no record: of an aborted transaction, as of the marker of any on Kafka.
 */
async function planned({ aborted, before: earlier = [] }: { readonly aborted: number; readonly before?: string[] }) {
  const log = memoryLog()
  await log.connect()
  await log.admin.create([{ topic: 'in', partitions: 1 }])
  const producer = log.producer({ transactionalId: 'feed' })
  await producer.init()
  const transaction = async (values: readonly string[], end: 'commit' | 'abort') => {
    producer.begin()
    await producer.send('in', 0, batchOf(...values.map((value) => ['k', value] as const)))
    await producer[end]()
  }
  const written: SinkBatch<string, string>[] = []
  const sink: SinkDefinition<string, string> = {
    kind: 'test',
    name: 'test:sink',
    mode: 'append',
    parameters: {},
    async open() {
      const write = async (batch: SinkBatch<string, string>) => {
        written.push(batch)
        return []
      }
      return { write, close: async () => {} }
    },
  }
  let seen = 0
  const job = topology('job', [
    stream('in', { key: string(), value: string() }).pipe(
      peek(() => void seen++),
      to(sink),
    ),
  ])
  const start = (commitIntervalMs: number, hooks?: RunHooks, options: Partial<RunOptions> = {}) =>
    run(
      job,
      { log: log.peer(), logger: false, commitIntervalMs, transactionTimeoutMs: 2 * commitIntervalMs, ...options },
      hooks,
    )

  if (earlier.length > 0) {
    await transaction(earlier, 'commit')
    const whole = await start(5)
    await whole.caughtUp()
    await whole.stop()
    written.splice(0)
  }
  await transaction(['a', 'b', 'c'], 'commit')
  if (aborted > 0) await transaction(Array<string>(aborted).fill('not this'), 'abort')
  const first = await start(300_000, {
    onStep(step) {
      if (step === 'produce') throw new Error('dies in its commit')
    },
  })
  await vi.waitUntil(() => seen === 3 + earlier.length && first.lag() === 0)
  const death = expect(first.done).rejects.toThrow('dies in its commit')
  await first.stop().catch(() => {})
  await death
  const [before] = written.splice(0)
  return { log, before, written, transaction, start }
}

const contents = ({ range: { firstOffset, lastOffset }, values }: SinkBatch<string, string>) => ({
  from: firstOffset,
  to: lastOffset,
  values,
})

describe.each([0, 1, 3])('a planned range that ends behind %i offsets without a record', (aborted) => {
  it('is replayed as it was, and what has come since by itself', async () => {
    const { before, written, transaction, start } = await planned({ aborted })
    expect(contents(before)).toEqual({ from: 0, to: 2 + aborted, values: ['a', 'b', 'c'] })
    await transaction(['nor this'], 'abort')
    await transaction(['d', 'e'], 'commit')
    const second = await start(5)
    await vi.waitUntil(() => written.length >= 2, { timeout: 5_000 })
    await second.caughtUp()
    await second.stop()
    expect(written[0]).toEqual(before)
    const end = 2 + aborted + 1 + 2
    expect(contents(written[1])).toEqual({ from: 3 + aborted, to: end, values: ['d', 'e'] })
    expect(written.length).toBe(2)
  })

  it('is committed when nothing has come since', async () => {
    const { before, written, start } = await planned({ aborted })
    const second = await start(5)
    await second.caughtUp()
    await second.stop()
    expect(written).toEqual([before])
  })
})

/** What was planned is not there any more: the topic was cut, made anew or trimmed. */
describe('a planned range that is gone', () => {
  /** Puts another topic in the place of `in`: an unclean leader knows less than what was committed of it. */
  async function replace({ log, transaction }: Awaited<ReturnType<typeof planned>>, values: readonly string[]) {
    const told = async () => {}
    const calls = { onAssigned: told, onRevoked: told, onLost: told, onError: () => {} }
    const group = log.group({ group: 'job', topics: ['in'], tasks: [], ...calls })
    const offsets = await group.committed([{ topic: 'in', partition: 0 }])
    expect(offsets).toMatchObject([{ metadata: expect.stringMatching(/"p":/) }])
    await log.admin.delete(['in'])
    await log.admin.create([{ topic: 'in', partitions: 1 }])
    if (values.length > 0) await transaction(values, 'commit')
    await group.commit(offsets, { group: 'job', memberId: '', epoch: -1 })
  }
  const valuesOf = (batches: readonly SinkBatch<string, string>[]) => batches.flatMap(({ values }) => values)

  it.each([
    ['earliest', ['x', 'y'], ['x', 'y']],
    ['earliest', [], []],
    ['latest', ['x', 'y'], []],
  ] as const)('is dropped, with a word and a count: %s, %j', async (outOfRange, values, seen) => {
    const job = await planned({ aborted: 0 })
    const { written, transaction, start } = job
    await replace(job, values)
    const { logger, lines } = keptLog()
    const second = await start(5, undefined, { outOfRange, logger })
    await second.ready()
    await transaction(['z'], 'commit')
    await vi.waitUntil(() => valuesOf(written).length > seen.length, { timeout: 5_000 })
    await second.caughtUp()
    const metrics = parseMetrics(await second.metrics.text())
    await second.stop()
    expect(valuesOf(written)).toEqual([...seen, 'z'])
    expect(sumOf(metrics, 'millrace_plans_dropped_total', { topic: 'in' })).toBe(1)
    expect(lines.filter(({ msg }) => /planned/.test(msg))).toMatchObject([{ topic: 'in', partition: 0, planned: 3 }])
  })

  it('is forgotten at once, so that it is not found again when the topic has grown', async () => {
    const job = await planned({ aborted: 0 })
    const { written, transaction, start } = job
    await replace(job, [])
    const second = await start(5, undefined, { outOfRange: 'earliest' })
    await second.ready()
    await second.stop()
    await transaction(['w', 'x', 'y', 'z'], 'commit')
    const third = await start(5)
    await third.caughtUp()
    await third.stop()
    expect(valuesOf(written)).toEqual(['w', 'x', 'y', 'z'])
    expect(sumOf(parseMetrics(await third.metrics.text()), 'millrace_plans_dropped_total')).toBe(0)
    expect(written).toHaveLength(1)
  })

  it('ends the application by default', async () => {
    const job = await planned({ aborted: 0 })
    await replace(job, ['x'])
    const second = await job.start(5)
    await expect(second.done).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      context: { topic: 'in', partition: 0 },
    })
  })

  it('is dropped when the topic is made anew while it is about to be replayed', async () => {
    const { log, written, transaction, start } = await planned({ aborted: 0, before: ['p', 'q'] })
    let isNew = false
    const renewing: Log = {
      ...log.peer(),
      reader(how) {
        const reader = log.reader(how)
        return {
          async fetch(positions, options) {
            if (!isNew) {
              isNew = true
              await log.admin.delete(['in'])
              await log.admin.create([{ topic: 'in', partitions: 1 }])
              await transaction(['x'], 'commit')
            }
            return reader.fetch(positions, options)
          },
          close: () => reader.close(),
        }
      },
    }
    const second = await start(5, undefined, { log: renewing, outOfRange: 'earliest' })
    await vi.waitUntil(() => valuesOf(written).length > 0, { timeout: 5_000 })
    await second.caughtUp()
    const metrics = parseMetrics(await second.metrics.text())
    await second.stop()
    expect(written.map(contents)).toEqual([{ from: 0, to: expect.any(Number), values: ['x'] }])
    expect(sumOf(metrics, 'millrace_plans_dropped_total', { topic: 'in' })).toBe(1)
  })

  it('is dropped when it was trimmed to its end', async () => {
    const { log, written, transaction, start } = await planned({ aborted: 0 })
    await transaction(['d', 'e'], 'commit')
    await log.admin.trim([{ topic: 'in', partition: 0, offset: 4 }])
    const second = await start(5, undefined, { outOfRange: 'earliest' })
    await second.ready()
    await second.caughtUp()
    const metrics = parseMetrics(await second.metrics.text())
    await second.stop()
    expect(written.map(contents)).toEqual([{ from: 4, to: 4, values: ['e'] }])
    expect(sumOf(metrics, 'millrace_plans_dropped_total', { topic: 'in' })).toBe(1)
  })

  it('keeps its end where a part of it is left', async () => {
    const { log, written, transaction, start } = await planned({ aborted: 0 })
    await transaction(['d', 'e'], 'commit')
    await log.admin.trim([{ topic: 'in', partition: 0, offset: 1 }])
    const second = await start(5, undefined, { outOfRange: 'earliest' })
    await second.ready()
    await second.caughtUp()
    const metrics = parseMetrics(await second.metrics.text())
    await second.stop()
    expect(written.map(({ values }) => values)).toEqual([
      ['b', 'c'],
      ['d', 'e'],
    ])
    expect(sumOf(metrics, 'millrace_plans_dropped_total')).toBe(0)
  })
})
