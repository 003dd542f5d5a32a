import { expect, it } from 'vitest'
import {
  count,
  groupBy,
  groupByKey,
  json,
  mapAsync,
  mapValues,
  stream,
  string,
  type Topology,
  to,
  topology,
  toStream,
} from '../../src/index.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { type ManualClock, manualClock } from '../../src/time.ts'
import { readRecords, writeRecords } from '../support/records.ts'

const INTERVAL = 60_000

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

/** Runs it with a clock that stands still: what is committed then did not wait for the commit interval. */
async function started(of: Topology, clock: ManualClock, log: Log) {
  const steps: string[] = []
  const running = await run(
    of,
    { log, clock, commitIntervalMs: INTERVAL, transactionTimeoutMs: 2 * INTERVAL, logger: false, handleSignals: false },
    { onStep: (step) => void (step === 'done' && steps.push(step)) },
  )
  await running.ready()
  const out = async () => (await readRecords(log, 'out')).map(({ value }) => Number(value))
  const until = async (what: string, isSo: () => boolean | Promise<boolean>) => {
    for (let turn = 0; !(await isSo()); turn++) {
      if (turn > 50_000) throw new Error(`never: ${what}; ${JSON.stringify({ out: await out(), lag: running.lag() })}`)
      await turns(1)
    }
  }
  return { running, steps, out, until }
}

async function given(records: number, topics: readonly string[] = ['in', 'out']) {
  const clock = manualClock(1_000_000)
  const log = memoryLog({ clock })
  await log.connect()
  await log.admin.create(topics.map((topic) => ({ topic, partitions: 2 })))
  const write = (from: number, to: number) =>
    writeRecords(
      log,
      'in',
      Array.from({ length: to - from }, (_, i) => ({ key: `k${(from + i) % 10}`, value: 'x', timestamp: from + i })),
    )
  if (records > 0) await write(0, records)
  return { clock, log, write }
}

/** Counts all records of a partition; `seen` is called for each before it counts. */
const counting = (seen: () => void = () => {}) =>
  topology('counting', [
    stream('in', { key: string(), value: string() }).pipe(
      mapValues((value) => {
        seen()
        return value
      }),
      groupByKey(),
      count('seen'),
      toStream(),
      to('out', { key: string(), value: json<number | null>() }),
    ),
  ])

it('commits at once what was waiting when it started, and after that once in an interval', async () => {
  const { clock, log, write } = await given(1_000)
  let seen = 0
  const { running, out, until } = await started(
    counting(() => seen++),
    clock,
    log,
  )
  await until('the backlog is committed', async () => (await out()).length === 10)
  expect(await out()).toEqual(Array(10).fill(100))
  for (let more = 1_000; more < 1_003; more++) {
    await write(more, more + 1)
    await until('the record is processed', () => seen === more + 1)
    await turns(50)
    expect(await out()).toHaveLength(10)
  }
  clock.advance(INTERVAL)
  await until('the interval is over', async () => (await out()).length === 13)
  // A burst that is worked off between two commits is none of a stream that cannot be kept up with.
  await write(1_003, 11_003)
  await until('the burst is processed', () => seen === 11_003)
  await turns(50)
  expect(await out()).toHaveLength(13)
  await running.stop()
})

it('commits at once the end of what it could not keep up with', async () => {
  const { clock, log, write } = await given(0)
  let seen = 0
  const { running, steps, out, until } = await started(
    counting(() => {
      if (++seen === 6_000) clock.advance(INTERVAL)
    }),
    clock,
    log,
  )
  await turns(50)
  await write(0, 30_000)
  await until('all is committed', async () => (await out()).filter((n) => n === 3_000).length === 10)
  expect(steps).toHaveLength(2)
  await write(30_000, 30_001)
  await until('the record is processed', () => seen === 30_001)
  await turns(50)
  expect(steps).toHaveLength(2)
  await running.stop()
})

it('is not over before what it wrote to repartition topics has come all the way', async () => {
  const { clock, log, write } = await given(1_000)
  const twice = topology('twice', [
    stream('in', { key: string(), value: string() }).pipe(
      groupBy((_, key) => `${key}-a`),
      count('first'),
      toStream(),
      groupBy((_, key) => `${key}-b`),
      count('second'),
      toStream(),
      to('out', { key: string(), value: json<number | null>() }),
    ),
  ])
  const { running, steps, out, until } = await started(twice, clock, log)
  await until('the results are out', async () => (await out()).length >= 10)
  await turns(200)
  const done = steps.length
  await write(1_000, 1_001)
  await turns(200)
  expect(steps).toHaveLength(done)
  clock.advance(INTERVAL)
  await until('the interval is over', () => steps.length > done)
  await running.stop()
})

it('is not over while calls to the outside are under way', async () => {
  const { clock, log } = await given(20)
  const answers: (() => void)[] = []
  const asking = topology('asking', [
    stream('in', { key: string(), value: string() }).pipe(
      mapAsync(() => new Promise<number>((resolve) => answers.push(() => resolve(7))), { concurrency: 100 }),
      to('out', { key: string(), value: json<number>() }),
    ),
  ])
  const { running, steps, out, until } = await started(asking, clock, log)
  await until('all calls are under way', () => answers.length === 20)
  await turns(50)
  expect(steps).toHaveLength(0)
  for (const answer of answers) answer()
  await until('the results are out', async () => (await out()).length === 20)
  expect(steps).toHaveLength(1)
  await running.stop()
})

it('is known to be over when its last commit has ended, and nobody asks the log before that', async () => {
  const { clock, log } = await given(1_000)
  let questions = 0
  const { admin } = log
  const watched: Log = {
    ...log,
    admin: {
      ...admin,
      endOffsets(partitions, isolation) {
        questions++
        return admin.endOffsets(partitions, isolation)
      },
    },
  }
  const { running, steps } = await started(counting(), clock, watched)
  const before = questions
  await running.caughtUp()
  expect(steps).toHaveLength(1)
  // What was asked before the first records came, the end of the topic, and whether it is still there.
  expect(questions - before).toBeLessThanOrEqual(4)
  await running.stop()
})
