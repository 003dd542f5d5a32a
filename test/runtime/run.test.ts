import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  count,
  groupBy,
  groupByKey,
  json,
  long,
  mapValues,
  RejectedRecord,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  windowed,
  windowedBy,
} from '../../src/index.ts'
import { embedded } from '../../src/log/embedded/embedded.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { readRecords, writeRecords } from '../support/records.ts'

const words = topology('words', [
  stream('lines', { key: string(), value: string() }).pipe(
    groupBy((word) => word),
    count('per-word'),
    toStream(),
    to('counts', { key: string(), value: json<number | null>() }),
  ),
])

/** A log that can be closed and opened again, as a process would. */
const logs: Record<string, () => Promise<Log>> = {
  memory: async () => memoryLog(),
  embedded: async () => embedded(await mkdtemp(join(tmpdir(), 'millrace-'))),
}

const finals = (records: readonly { key: string | null; value: string | null }[]) =>
  Object.fromEntries(records.map(({ key, value }) => [key, value]))

async function prepared(kind: string, topics: readonly string[], partitions = 4) {
  const log = await logs[kind]()
  await log.connect()
  await log.admin.create(topics.map((topic) => ({ topic, partitions })))
  return log
}

describe.each([
  ['memory', 'exactly-once'],
  ['memory', 'at-least-once'],
  ['embedded', 'exactly-once'],
  ['embedded', 'at-least-once'],
] as const)('run on %s, %s', (kind, guarantee) => {
  it('counts over a repartition topic and goes on after a restart', async () => {
    const log = await prepared(kind, ['lines', 'counts'])
    const records = Array.from({ length: 3_000 }, (_, i) => ({
      key: `line-${i % 97}`,
      value: `word-${i % 7}`,
      timestamp: i,
    }))
    await writeRecords(log, 'lines', records.slice(0, 1_000))
    const first = await run(words, { log, guarantee, logger: false, commitIntervalMs: 20 })
    await first.caughtUp()
    await first.stop()
    await log.connect()
    await writeRecords(log, 'lines', records.slice(1_000))
    const second = await run(words, { log, guarantee, logger: false, commitIntervalMs: 20 })
    await second.caughtUp()
    expect([...second.query<string, number>('per-word')].length).toBe(7)
    await second.stop()
    await log.connect()
    const expected = Object.fromEntries(
      Array.from({ length: 7 }, (_, w) => [`word-${w}`, String(records.filter((_, i) => i % 7 === w).length)]),
    )
    expect(finals(await readRecords(log, 'counts'))).toEqual(expected)
    expect(second.state.phase).toBe('stopped')
  })

  it('sends what cannot be processed to the dead letters and counts it', async () => {
    const log = await prepared(kind, ['in', 'out'], 1)
    const checked = topology('checked', [
      stream('in', { key: string(), value: json<{ n: number }>() }).pipe(
        mapValues(({ n }) => {
          if (n < 0) throw new RejectedRecord('negative')
          return n
        }),
        to('out', { key: string(), value: long() }),
      ),
    ])
    await writeRecords(log, 'in', [
      { key: 'a', value: '{"n":1}', timestamp: 1 },
      { key: 'b', value: '{"n":', timestamp: 2 },
      { key: 'c', value: '{"n":-1}', timestamp: 3 },
      { key: null, value: '{"n":1}', timestamp: 4 },
    ])
    const running = await run(checked, { log, guarantee, logger: false, commitIntervalMs: 20 })
    await running.caughtUp()
    const text = await running.metrics.text()
    await running.stop()
    await log.connect()
    expect((await readRecords(log, 'out')).map(({ key }) => key)).toEqual(['a'])
    expect((await readRecords(log, 'checked-dead-letters')).map(({ key }) => key)).toEqual(['b', 'c'])
    expect(text).toContain('millrace_records_dead_lettered_total{application="checked",task="0_0",reason="negative"} 1')
    expect(text).toContain('reason="null-key"} 1')
    expect(text).toContain('millrace_records_in_total{application="checked",task="0_0",topic="in"} 4')
  })

  it('stops with the error of a function that throws', async () => {
    const log = await prepared(kind, ['in', 'out'], 1)
    const failing = topology('failing', [
      stream('in', { key: string(), value: string() }).pipe(
        mapValues((): string => {
          throw new Error('no')
        }),
        to('out', { key: string(), value: string() }),
      ),
    ])
    await writeRecords(log, 'in', [{ key: 'a', value: 'x', timestamp: 1 }])
    const running = await run(failing, { log, guarantee, logger: false, commitIntervalMs: 20 })
    await expect(running.done).rejects.toMatchObject({ code: 'OPERATOR_FAILED', context: { topic: 'in', offset: 0 } })
    expect(running.state.phase).toBe('failed')
  })

  it('takes windows of every lane by the time of that lane', async () => {
    const log = await prepared(kind, ['events', 'per-minute'])
    const perMinute = topology('per-minute-app', [
      stream('events', { key: string(), value: string() }).pipe(
        groupBy((kind) => kind),
        windowedBy(tumbling(60_000, { grace: 10_000 })),
        count('kinds'),
        toStream(),
        to('per-minute', { key: windowed(string()), value: json<number | null>() }),
      ),
    ])
    // One partition holds hours of events, the others have only the first minutes: nobody is late on its own lane.
    const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`)
    const records = keys
      .flatMap((key, k) =>
        Array.from({ length: k === 0 ? 2_000 : 50 }, (_, i) => ({ key, value: `kind-${i % 3}`, timestamp: i * 6_000 })),
      )
      .sort((a, b) => a.timestamp - b.timestamp)
    await writeRecords(log, 'events', records)
    const running = await run(perMinute, { log, guarantee, logger: false, commitIntervalMs: 10 })
    await running.caughtUp()
    const text = await running.metrics.text()
    await running.stop()
    await log.connect()
    expect(text).not.toContain('reason="late"')
    const total = Object.values(finals(await readRecords(log, 'per-minute'))).reduce<number>(
      (sum, n) => sum + Number(n),
      0,
    )
    expect(total).toBe(records.length)
  })
})

it('refuses to start without its topics, naming them', async () => {
  const log = memoryLog()
  await log.connect()
  await expect(run(words, { log, logger: false })).rejects.toMatchObject({ code: 'MISSING_TOPIC' })
  const grouped = stream('a', { key: string(), value: string() }).pipe(groupByKey(), count('x'), toStream())
  const twice = topology('twice', [
    grouped.pipe(to('b', { key: string(), value: json() })),
    stream('a', { key: string(), value: string() }).pipe(
      groupByKey(),
      count('x'),
      toStream(),
      to('c', { key: string(), value: json() }),
    ),
  ])
  await expect(run(twice, { log, logger: false })).rejects.toThrow(/two stores are named "x"/)
})
