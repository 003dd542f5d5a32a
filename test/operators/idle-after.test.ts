import { describe, expect, it } from 'vitest'
import {
  adding,
  cogroup,
  count,
  groupBy,
  groupByKey,
  json,
  manualClock,
  process,
  type SourceOptions,
  stream,
  string,
  to,
  topology,
  tumbling,
  untilWindowCloses,
  windowed,
  windowedBy,
} from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Running, run } from '../../src/runtime/run.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import { readRecords, writeRecords } from '../support/records.ts'
import { unopenedSink } from '../support/unopened-sink.ts'

const texts = { key: string(), value: string() }
const counts = { key: windowed(string(), { size: 10 }), value: json<number>() }

const perTen = (options: Pick<SourceOptions<string, string>, 'idleAfter'>) =>
  topology('per-ten', [
    stream('in', { ...texts, ...options }).pipe(
      groupByKey(),
      windowedBy(tumbling(10, { grace: 5 })),
      count('per-ten'),
      untilWindowCloses(),
      to('out', counts),
    ),
  ])

/** As `perTen`, through a repartition topic. */
const regrouped = topology('regrouped', [
  stream('in', { ...texts, idleAfter: 1_000 }).pipe(
    groupBy((value) => value),
    windowedBy(tumbling(10, { grace: 5 })),
    count('regrouped'),
    untilWindowCloses(),
    to('out', counts),
  ),
])

const windows = (driver: TopologyDriver) =>
  driver
    .read<{ key: string; window: { start: number } }>('out')
    .map(({ key, value }) => [key.key, key.window.start, value])

describe('an idle source', () => {
  it('closes its windows, as the clock goes on; without the option it does not', () => {
    const driver = new TopologyDriver(perTen({ idleAfter: 1_000 }))
    driver.pipe('in', 'a', 'x', 3)
    driver.pipe('in', 'a', 'x', 4)
    driver.advanceWallClock(999)
    expect(windows(driver)).toEqual([])
    driver.advanceWallClock(1)
    expect(windows(driver)).toEqual([['a', 0, 2]])
    const waiting = new TopologyDriver(perTen({}))
    waiting.pipe('in', 'a', 'x', 3)
    waiting.advanceWallClock(1_000_000)
    expect(windows(waiting)).toEqual([])
  })

  it('is not idle while records come', () => {
    const driver = new TopologyDriver(perTen({ idleAfter: 1_000 }))
    for (let n = 0; n < 5; n++) {
      driver.pipe('in', 'a', 'x', 3)
      driver.advanceWallClock(900)
    }
    expect(windows(driver)).toEqual([])
    expect(driver.dropped).toBe(0)
  })

  it('keeps the time it has come to over a restart, so that what was late stays late', () => {
    const driver = new TopologyDriver(perTen({ idleAfter: 1_000 }))
    driver.pipe('in', 'a', 'x', 3)
    driver.advanceWallClock(1_000)
    driver.commit()
    expect(windows(driver)).toEqual([['a', 0, 1]])
    driver.restart()
    driver.pipe('in', 'a', 'x', 4)
    expect(driver.droppedByReason().get('late')).toBe(1)
    driver.pipe('in', 'a', 'x', 2_000)
    driver.pipe('in', 'a', 'x', 3_000)
    expect(windows(driver)).toEqual([['a', 2_000, 1]])
  })

  it('fires timers of event time', () => {
    const driver = new TopologyDriver(
      topology('timers', [
        stream('in', { ...texts, idleAfter: 100 }).pipe(
          process('timers', { timers: { eventTime: string() } }, ({ timers, forward }) => ({
            process: (_, key, { timestamp }) => timers.eventTime.set(key, timestamp + 150),
            onEventTime: ({ key }) => forward(key, 'silent'),
          })),
          to('out', texts),
        ),
      ]),
    )
    driver.pipe('in', 'a', 'x', 5)
    driver.advanceWallClock(120)
    expect(driver.read('out')).toEqual([])
    driver.advanceWallClock(30)
    expect(driver.read('out')).toMatchObject([{ key: 'a', value: 'silent', timestamp: 155 }])
  })

  it('no longer holds back what is behind a repartition; the markers are on the log', () => {
    const driver = new TopologyDriver(regrouped, { partitions: 2 })
    // Only one of the two partitions is ever written: the other is a lane that was never heard.
    driver.pipe('in', 'a', 'x', 3)
    driver.pipe('in', 'a', 'x', 500)
    driver.commit()
    expect(windows(driver)).toEqual([])
    driver.advanceWallClock(1_000)
    driver.commit()
    driver.restart()
    driver.advanceWallClock(1_000)
    driver.commit()
    expect(windows(driver)).toEqual([
      ['x', 0, 1],
      ['x', 500, 1],
    ])
  })

  it('is refused in front of an append sink, unless nothing there waits for time', () => {
    const sink = unopenedSink()
    const source = stream('in', { ...texts, idleAfter: 1_000 })
    const finals = source.pipe(groupByKey(), windowedBy(tumbling(10)), count('finals'), untilWindowCloses(), to(sink))
    expect(() => new TopologyDriver(topology('finals', [finals]))).toThrow(/idleAfter/)
    expect(() => new TopologyDriver(topology('raw', [source.pipe(to(sink))]))).not.toThrow()
    expect(() => stream('in', { ...texts, idleAfter: 0 })).toThrow(/idleAfter is 0/)
  })
})

describe('the idle sources of a cogroup', () => {
  const cogrouped = () => {
    const source = (name: string) => stream(name, { ...texts, idleAfter: 1_000 }).pipe(groupByKey())
    return new TopologyDriver(
      topology('cogrouped', [
        source('in').pipe(
          windowedBy(tumbling(10, { grace: 5 })),
          cogroup(
            'both',
            count(),
            adding(source('rare'), (n: number) => n + 10),
          ),
          untilWindowCloses(),
          to('out', counts),
        ),
      ]),
    )
  }

  it('close its windows when all of them are idle', () => {
    const driver = cogrouped()
    driver.pipe('in', 'a', 'x', 3)
    driver.advanceWallClock(500)
    driver.pipe('rare', 'a', 'x', 4)
    driver.advanceWallClock(999)
    expect(windows(driver)).toEqual([])
    driver.advanceWallClock(1)
    expect(windows(driver)).toEqual([['a', 0, 11]])
  })

  it('close them although one has never had a record', () => {
    const driver = cogrouped()
    driver.pipe('in', 'a', 'x', 3)
    driver.pipe('in', 'a', 'x', 500)
    expect(windows(driver)).toEqual([])
    driver.advanceWallClock(1_000)
    expect(windows(driver)).toEqual([
      ['a', 0, 1],
      ['a', 500, 1],
    ])
  })

  it('do not while one of them has records, whatever their time', () => {
    const driver = cogrouped()
    driver.pipe('in', 'a', 'x', 3)
    for (let n = 0; n < 5; n++) {
      driver.pipe('rare', 'a', 'x', 4)
      driver.advanceWallClock(900)
    }
    expect(windows(driver)).toEqual([])
    expect(driver.dropped).toBe(0)
  })

  it('keep the time they have come to over a restart, each for what comes of it', () => {
    const driver = cogrouped()
    driver.pipe('in', 'a', 'x', 3)
    driver.pipe('rare', 'a', 'x', 4)
    driver.advanceWallClock(1_000)
    driver.commit()
    driver.restart()
    driver.pipe('in', 'a', 'x', 5)
    driver.pipe('rare', 'a', 'x', 5)
    expect(driver.droppedByReason().get('late')).toBe(2)
    expect(windows(driver)).toEqual([['a', 0, 11]])
  })
})

it('closes the windows of a run, once, and over a restart', async () => {
  // The log on the same clock: on the machine's, the manual one would run far ahead between two answers.
  const clock = manualClock(1_000_000)
  const log = memoryLog({ clock })
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 2 })))
  await writeRecords(
    log,
    'in',
    [3, 4, 500].map((timestamp) => ({ key: 'a', value: 'x', timestamp })),
  )
  const options = { log, logger: false, clock, commitIntervalMs: 100 } as const
  const written = async () => (await readRecords(log, 'out')).map(({ value }) => value)
  /** Turns of the loop, with the clock going on, until so many windows have closed. */
  const until = async (closed: number) => {
    while ((await written()).length < closed) {
      clock.advance(50)
      await new Promise(setImmediate)
    }
  }
  const stop = async (running: Running) => {
    let stopped = false
    const stopping = running.stop().finally(() => {
      stopped = true
    })
    while (!stopped) {
      clock.advance(50)
      await new Promise(setImmediate)
    }
    await stopping
    await log.connect()
  }
  const first = await run(regrouped, options)
  await until(2)
  await stop(first)
  // The partition that had no record goes by the clock, the other one from where it stood.
  await writeRecords(log, 'in', [{ key: 'a', value: 'y', timestamp: 900_000 }])
  const second = await run(regrouped, options)
  await until(3)
  await stop(second)
  expect((await written()).sort()).toEqual(['1', '1', '2'])
})
