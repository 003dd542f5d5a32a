import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  count,
  groupByKey,
  json,
  type MapAsyncOptions,
  mapAsync,
  RejectedRecord,
  stream,
  string,
  to,
  topology,
  toStream,
} from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { type DriverOptions, TopologyDriver } from '../../src/testing/index.ts'
import { readRecords, writeRecords } from '../support/records.ts'

const texts = { key: string(), value: string() }

/** Calls that answer when the test says so. */
function answers() {
  const open = new Map<
    string,
    { resolve: (value: string) => void; reject: (error: unknown) => void; signal: AbortSignal }
  >()
  const started: string[] = []
  return {
    open,
    started,
    ask(value: string, _key: string, { signal }: { readonly signal: AbortSignal }): string | Promise<string> {
      started.push(value)
      if (value.startsWith('cached')) return `${value}!`
      return new Promise((resolve, reject) => open.set(value, { resolve, reject, signal }))
    },
    answer(value: string) {
      open.get(value)!.resolve(`${value}!`)
      open.delete(value)
    },
    refuse(value: string, error: unknown = new Error('no')) {
      open.get(value)!.reject(error)
      open.delete(value)
    },
  }
}

function setUp(options: MapAsyncOptions, driverOptions?: DriverOptions) {
  const calls = answers()
  const app = topology('app', [stream('in', texts).pipe(mapAsync(calls.ask, options), to('out', texts))])
  const driver = new TopologyDriver(app, driverOptions)
  const pipe = (key: string, value: string, timestamp = 0) => driver.pipe('in', key, value, timestamp)
  /** Lets what has been answered come in, and gives what has come out. */
  const out = async () => {
    await turn()
    driver.advanceWallClock(0)
    return driver.read('out').map(({ value }) => value)
  }
  return { calls, driver, pipe, out }
}

/** Lets everything that promises have to do be done. */
const turn = () => new Promise(setImmediate)

describe('order', () => {
  it('is that of the records, by default', async () => {
    const { calls, driver, pipe, out } = setUp({})
    for (const value of ['a', 'b', 'cached', 'c']) pipe('k', value)
    expect(calls.started).toEqual(['a', 'b', 'cached', 'c'])
    calls.answer('c')
    calls.answer('b')
    expect(await out()).toEqual([])
    calls.answer('a')
    expect(await out()).toEqual(['a!', 'b!', 'cached!', 'c!'])
    await driver.settled()
  })

  it('is kept per key, or not at all, where that is asked for', async () => {
    const perKey = setUp({ ordered: 'key' })
    perKey.pipe('k', 'a')
    perKey.pipe('k', 'b')
    perKey.pipe('other', 'cached')
    perKey.pipe('other', 'c')
    perKey.calls.answer('b')
    perKey.calls.answer('c')
    expect(await perKey.out()).toEqual(['cached!', 'c!'])
    perKey.calls.answer('a')
    expect(await perKey.out()).toEqual(['a!', 'b!'])
    const free = setUp({ ordered: false })
    free.pipe('k', 'a')
    free.pipe('k', 'b')
    free.calls.answer('b')
    expect(await free.out()).toEqual(['b!'])
    free.calls.answer('a')
    expect(await free.out()).toEqual(['a!'])
  })

  it('needs no promise where the answer is there at once', () => {
    const { driver, pipe } = setUp({})
    pipe('k', 'cached')
    expect(driver.read('out').map(({ value }) => value)).toEqual(['cached!'])
    driver.commit()
  })

  it('holds whatever comes back when, with as many under way as allowed at most', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('all' as const, 'key' as const, false as const),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.record({ key: fc.constantFrom('a', 'b'), at: fc.nat() }), { maxLength: 20 }),
        async (ordered, concurrency, records) => {
          const { calls, driver, pipe } = setUp({ ordered, concurrency })
          const values = records.map(({ key }, i) => `${key}${i}`)
          for (const [i, { key }] of records.entries()) pipe(key, values[i], i)
          for (let n = 0; calls.open.size > 0; n++) {
            expect(calls.open.size).toBeLessThanOrEqual(concurrency)
            const waiting = [...calls.open.keys()]
            calls.answer(waiting[records[n].at % waiting.length])
            await turn()
            driver.advanceWallClock(0)
          }
          const sent = values.map((value) => `${value}!`)
          const of = (key: string) => (value: string) => value.startsWith(key)
          const came = driver.read<string, string>('out').map(({ value }) => value)
          expect([...came].sort()).toEqual([...sent].sort())
          if (ordered === 'all') expect(came).toEqual(sent)
          if (ordered === 'key')
            for (const key of ['a', 'b']) expect(came.filter(of(key))).toEqual(sent.filter(of(key)))
        },
      ),
      { numRuns: 30 },
    )
  })
})

it('each result has the timestamp and headers of its own record', async () => {
  const { calls, driver } = setUp({ ordered: false })
  driver.pipe('in', 'k', 'a', 5, [['id', Buffer.from('1')]])
  driver.pipe('in', 'k', 'b', 7, [['id', Buffer.from('2')]])
  calls.answer('b')
  await turn()
  calls.answer('a')
  await driver.settled()
  expect(
    driver
      .read('out')
      .map(({ value, timestamp, headers }) => [value, timestamp, Buffer.from(headers[0][1]!).toString()]),
  ).toEqual([
    ['b!', 7, '2'],
    ['a!', 5, '1'],
  ])
})

it('takes no more records than may be under way', async () => {
  const { calls, pipe, out } = setUp({ concurrency: 2 })
  for (const value of ['a', 'b', 'c', 'd']) pipe('k', value)
  expect(calls.started).toEqual(['a', 'b'])
  calls.answer('a')
  expect(await out()).toEqual(['a!'])
  expect(calls.started).toEqual(['a', 'b', 'c'])
})

describe('failures', () => {
  it('are retried after a growing wait, then go the way of the policy with the record as it came', async () => {
    const { calls, driver, pipe, out } = setUp(
      { retry: { times: 2, delay: 100 } },
      { errors: { failing: 'dead-letter' } },
    )
    pipe('k', 'a')
    pipe('k', 'b')
    calls.answer('b')
    calls.refuse('a')
    await turn()
    driver.advanceWallClock(99)
    expect(calls.started).toEqual(['a', 'b'])
    driver.advanceWallClock(1)
    await turn()
    expect(calls.started).toEqual(['a', 'b', 'a'])
    calls.refuse('a', new Error('still no'))
    await turn()
    driver.advanceWallClock(199)
    await turn()
    expect(calls.started).toHaveLength(3)
    driver.advanceWallClock(1)
    await turn()
    expect(await out()).toEqual([])
    calls.refuse('a', new Error('never'))
    expect(await out()).toEqual(['b!'])
    const [letter] = driver.deadLetters()
    expect([String(letter.key), String(letter.value)]).toEqual(['k', 'a'])
    expect(letter.headers.map(([name, value]) => [name, String(value)])).toContainEqual([
      '__streams.errors.message',
      'never',
    ])
  })

  it('that are rejections are not retried; without a policy the application stops', async () => {
    const rejected = setUp({ retry: { times: 5 } })
    rejected.pipe('k', 'a')
    rejected.calls.refuse('a', new RejectedRecord('unknown user'))
    expect(await rejected.out()).toEqual([])
    expect(rejected.driver.deadLetters()).toHaveLength(1)
    const failing = setUp({})
    failing.pipe('k', 'a')
    failing.calls.refuse('a')
    await expect(failing.driver.settled()).rejects.toMatchObject({
      code: 'OPERATOR_FAILED',
      context: { topic: 'in', partition: 0, offset: 0 },
    })
  })

  it('come of no answer in time, and the call is told', async () => {
    const { calls, driver, pipe, out } = setUp({ timeout: 500 }, { errors: { failing: 'skip' } })
    pipe('k', 'a')
    const { signal } = calls.open.get('a')!
    driver.advanceWallClock(499)
    await turn()
    expect(signal.aborted).toBe(false)
    driver.advanceWallClock(1)
    await turn()
    expect(signal.aborted).toBe(true)
    pipe('k', 'cached')
    expect(await out()).toEqual(['cached!'])
    // An answer that comes after all changes nothing.
    calls.answer('a')
    expect(await out()).toEqual([])
  })
})

describe('commits', () => {
  it('wait for what is under way, and for the calls that the commit itself makes', async () => {
    const calls = answers()
    const counted = topology('counted', [
      stream('in', texts).pipe(
        groupByKey(),
        count('per-key'),
        toStream(),
        mapAsync((n, key, call) => calls.ask(`${key}${n}`, key, call)),
        groupByKey(),
        count('results'),
        toStream(),
        to('out', { key: string(), value: json<number | null>() }),
      ),
    ])
    const driver = new TopologyDriver(counted, { emit: 'commit' })
    driver.pipe('in', 'a', 'x', 0)
    driver.pipe('in', 'a', 'x', 0)
    const commit = driver.commitSettled()
    await turn()
    expect(calls.started).toEqual(['a2'])
    calls.answer('a2')
    await commit
    expect(driver.read('out')).toMatchObject([{ key: 'a', value: 1 }])
    driver.restart()
    expect(driver.store('results')).toMatchObject([{ key: 'a', value: 1 }])
    driver.pipe('in', 'b', 'x', 0)
    expect(() => driver.commit()).toThrow(/calls to the outside are under way/)
  })

  it('a restart aborts what was under way, and its records are asked for again', async () => {
    const { calls, driver, pipe, out } = setUp({})
    pipe('k', 'a')
    calls.answer('a')
    await driver.commitSettled()
    pipe('k', 'b')
    const { signal } = calls.open.get('b')!
    driver.restart()
    expect(signal.aborted).toBe(true)
    expect(calls.started).toEqual(['a', 'b', 'b'])
    calls.answer('b')
    expect(await out()).toEqual(['a!', 'b!'])
  })

  it('refuses an append sink behind results whose order may change', () => {
    const sink = {
      kind: 'rows',
      name: 'rows',
      mode: 'append' as const,
      parameters: {},
      open: () => Promise.reject(new Error('not opened here')),
    }
    const rows = (ordered: 'all' | 'key') =>
      topology('rows', [
        stream('in', texts).pipe(
          mapAsync(async (value) => value, { ordered }),
          to(sink),
        ),
      ])
    expect(() => new TopologyDriver(rows('key'))).toThrow(/ordered: key/)
    expect(new TopologyDriver(rows('all')).plan.subtopologies).toHaveLength(1)
  })
})

describe('run', () => {
  it.each(['all', 'key', false] as const)(
    'exactly once over crashes at every step of a commit, ordered %s',
    async (ordered) => {
      const log = memoryLog()
      await log.connect()
      await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 2 })))
      const records = Array.from({ length: 200 }, (_, i) => ({ key: `k${i % 7}`, value: `v${i}`, timestamp: i }))
      const app = topology('app', [
        stream('in', texts).pipe(
          mapAsync(
            async (value) => {
              // Answers come in another order than the questions.
              for (let n = Number(value.slice(1)) % 5; n > 0; n--) await turn()
              return `${value}!`
            },
            { concurrency: 8, ordered },
          ),
          to('out', texts),
        ),
      ])
      let written = 0
      const writeMore = () => writeRecords(log, 'in', records.slice(written, (written += 25)))
      for (const step of ['produce', 'offsets', 'end'] as const) {
        let armed = false
        await writeMore()
        const running = await run(
          app,
          { log, logger: false, commitIntervalMs: 2 },
          {
            onStep(at) {
              if (armed && at === step) throw new Error('crash')
            },
          },
        )
        await running.caughtUp()
        // What is committed from now on fails half way, with records that came after what is safe.
        armed = true
        const crashed = expect(running.done).rejects.toThrow('crash')
        await writeMore()
        await crashed
        await log.connect()
      }
      await writeRecords(log, 'in', records.slice(written))
      const last = await run(app, { log, logger: false, commitIntervalMs: 2 })
      await last.caughtUp()
      await last.stop()
      await log.connect()
      const results = await readRecords(log, 'out')
      expect(results.map(({ value }) => value).sort()).toEqual(records.map(({ value }) => `${value}!`).sort())
      if (ordered !== false) {
        for (const key of new Set(records.map((record) => record.key))) {
          const of = (all: readonly { key: string | null; value: string | null }[]) =>
            all.filter((record) => record.key === key).map(({ value }) => value)
          expect(of(results)).toEqual(of(records).map((value) => `${value}!`))
        }
      }
    },
  )

  it('stops with what a call failed of, naming its record', async () => {
    const log = memoryLog()
    await log.connect()
    await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
    await writeRecords(log, 'in', [{ key: 'a', value: 'x', timestamp: 1 }])
    const failing = stream('in', texts).pipe(
      mapAsync(async (): Promise<string> => {
        throw new Error('no')
      }),
      to('out', texts),
    )
    const running = await run(topology('failing', [failing]), { log, logger: false, commitIntervalMs: 20 })
    await expect(running.done).rejects.toMatchObject({ code: 'OPERATOR_FAILED', context: { topic: 'in', offset: 0 } })
  })
})
