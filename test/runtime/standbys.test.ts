import { once } from 'node:events'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { count, groupByKey, json, MillraceError, stream, string, to, topology, toStream } from '../../src/index.ts'
import { BatchWriter } from '../../src/log/batch/batch-writer.ts'
import type { Assignment, GroupOptions, Log, LogReader } from '../../src/log/log.ts'
import { type MemoryLog, memoryLog } from '../../src/log/memory.ts'
import type { RunOptions } from '../../src/runtime/options.ts'
import { type Running, run } from '../../src/runtime/run.ts'
import { snapshotDirectory } from '../../src/snapshots/directory.ts'
import { diskState } from '../../src/state/disk/sqlite.ts'
import { manualClock } from '../../src/time.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'
import { readRecords, writeRecords } from '../support/records.ts'

/** What instances do with the standbys that they are given: the test is the group. */

const job = topology('shares', [
  stream('in', { key: string(), value: string() }).pipe(
    groupByKey(),
    count('counts'),
    toStream(),
    to('out', { key: string(), value: json<number | null>() }),
  ),
])
const CHANGELOG = 'shares-counts-changelog'
const KEYS = 200
/** The membership of nobody, which a group without members accepts. */
const stamp = { group: 'shares', memberId: '', epoch: -1 }

let log: MemoryLog
let open: Running[]
beforeEach(async () => {
  log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  open = []
})
afterEach(async () => {
  for (const running of open) await running.stop()
})

interface Logged {
  readonly msg: string
  readonly records?: number
}

async function instance(options: Partial<RunOptions> = {}) {
  let group: GroupOptions | undefined
  const logged: Logged[] = []
  /** Where reads of the changelog began. */
  const reads: number[] = []
  const seen = { reconsidered: 0, failing: undefined as Error | undefined, isPaused: false, isHeld: false }
  const lines = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split('\n')) logged.push(JSON.parse(line))
      done()
    },
  })
  const watched = (reader: LogReader): LogReader => ({
    async fetch(positions, how) {
      const { failing } = seen
      seen.failing = undefined
      if (failing) throw failing
      // Who follows can be told to stop; who restores cannot.
      if (seen.isPaused && how.signal && positions.every(({ topic }) => topic === CHANGELOG)) {
        seen.isHeld = true
        await once(how.signal, 'abort')
        return []
      }
      for (const { topic, offset } of positions) if (topic === CHANGELOG) reads.push(offset)
      return reader.fetch(positions, how)
    },
    close: () => reader.close(),
  })
  const peer = log.peer()
  const mine: Log = {
    ...peer,
    reader: (how) => watched(log.reader(how)),
    group(how) {
      group = how
      const of = log.group(how)
      return {
        join: async () => {},
        leave: async () => {},
        reconsider: () => void seen.reconsidered++,
        committed: (...partitions) => of.committed(...partitions),
        commit: (...offsets) => of.commit(...offsets),
      }
    },
  }
  const running = await run(job, {
    log: mine,
    logger: pino(lines),
    commitIntervalMs: 5,
    handleSignals: false,
    ...options,
  })
  open.push(running)
  await vi.waitUntil(() => running.state.phase === 'rebalancing')
  const assign = (assignment: Partial<Assignment>) =>
    group!.onAssigned({ active: [], standby: [], stamp, ...assignment })
  return {
    running,
    logged,
    reads,
    seen,
    group: group!,
    assign,
    /** Gives the task up, as the group asks for it, and keeps or leaves its state. */
    async revoke(next: Partial<Assignment>) {
      await group!.onRevoked(['0_0'], stamp)
      await assign(next)
    },
    lag: () => {
      const [of] = group!.progress!()
      return of === undefined ? undefined : of.end - of.offset
    },
    messages: (msg: string) => logged.filter((line) => line.msg === msg),
    metrics: async () => parseMetrics(await running.metrics.text()),
    counts: () => new Map(Array.from(running.query<string, number>('counts'), ({ key, value }) => [key, value])),
  }
}
type Instance = Awaited<ReturnType<typeof instance>>

let rounds = 0
/** One more record for each key. */
async function feed(): Promise<void> {
  rounds++
  const records = Array.from({ length: KEYS }, (_, i) => ({
    key: `key-${i}`,
    value: 'x',
    timestamp: rounds * KEYS + i,
  }))
  await writeRecords(log, 'in', records)
}
beforeEach(() => {
  rounds = 0
})

const changelogEnd = async () => (await log.admin.endOffsets([{ topic: CHANGELOG, partition: 0 }]))[0].offset
const changelogRecords = () => readRecords(log, CHANGELOG)
const out = async () => (await readRecords(log, 'out')).length
/** Everything that was fed is committed, and this instance has read it all. */
const followed = (of: Instance) =>
  vi.waitUntil(async () => {
    const end = await changelogEnd()
    const [progress] = of.group.progress!()
    return (await out()) >= rounds * KEYS && progress?.offset === end
  })
const isCounted = (of: Instance) => {
  const counts = of.counts()
  return counts.size === KEYS && [...counts.values()].every((n) => n === rounds)
}

/** Settings that an instance of a kind is started with; each has a directory of its own. */
const kinds = {
  memory: () => ({}),
  disk: () => ({ state: diskState(mkdtempSync(join(tmpdir(), 'millrace-standby-')), { cacheBytes: 1_000 }) }),
  'at-least-once': () => ({ guarantee: 'at-least-once' as const }),
}

it.each(Object.entries(kinds))('follows a task and takes it over where it is: %s', async (_, settings) => {
  const [a, b] = [await instance(settings()), await instance(settings())]
  await a.assign({ active: ['0_0'] })
  await b.assign({ standby: ['0_0'] })
  expect(b.running.state).toMatchObject({ phase: 'running', tasks: [], standbys: ['0_0'] })
  for (let i = 0; i < 5; i++) {
    await feed()
    await followed(b)
  }
  expect(b.lag()).toBe(0)
  expect(sumOf(await b.metrics(), 'millrace_standby_tasks', { kind: 'standby' })).toBe(1)
  expect(sumOf(await b.metrics(), 'millrace_standby_lag_records')).toBe(0)
  // Never produces, never commits: a restart of the reader of what is committed finds nothing but what A wrote.
  expect(await out()).toBe(rounds * KEYS)
  const end = await changelogEnd()
  await a.revoke({})
  b.reads.length = 0
  await b.assign({ active: ['0_0'] })
  await b.running.ready()
  await feed()
  await vi.waitUntil(() => isCounted(b))
  expect(Math.min(end, ...b.reads)).toBe(end)
  expect(b.messages('standby promoted')).toMatchObject([{ task: '0_0', records: 0 }])
  expect(b.running.state).toMatchObject({ tasks: ['0_0'], standbys: [] })
  await vi.waitUntil(async () => (await out()) === rounds * KEYS)
})

it.each(Object.entries(kinds))(
  'keeps the state of a task that it gives up, and gets it back: %s',
  async (_, settings) => {
    const [a, b] = [await instance(settings()), await instance(settings())]
    await a.assign({ active: ['0_0'] })
    await b.assign({ standby: ['0_0'] })
    let [active, standby] = [a, b]
    for (let turn = 0; turn < 4; turn++) {
      await feed()
      await followed(standby)
      const end = await changelogEnd()
      active.reads.length = 0
      await active.revoke({ standby: ['0_0'] })
      await standby.assign({ active: ['0_0'] })
      await standby.running.ready()
      ;[active, standby] = [standby, active]
      await feed()
      await vi.waitUntil(() => isCounted(active))
      await followed(standby)
      // Since it ran the task itself it has read what the other has written, and nothing else.
      expect(Math.min(...standby.reads)).toBeGreaterThanOrEqual(end)
    }
    expect(a.messages('standby promoted')).toHaveLength(2)
  },
)

it.each(Object.entries(kinds))(
  'reads the rest of the changelog and no more when it is behind: %s',
  async (_, settings) => {
    const [a, b] = [await instance(settings()), await instance(settings())]
    await a.assign({ active: ['0_0'] })
    await b.assign({ standby: ['0_0'] })
    await feed()
    await followed(b)
    b.seen.isPaused = true
    await vi.waitUntil(() => b.seen.isHeld)
    const [{ offset: read }] = b.group.progress!()
    const before = (await changelogRecords()).length
    for (let i = 0; i < 3; i++) {
      await feed()
      await a.running.caughtUp()
    }
    const [{ offset: still }] = b.group.progress!()
    expect(still).toBe(read)
    await a.revoke({})
    const behind = (await changelogRecords()).slice(before)
    expect(behind.length).toBeGreaterThanOrEqual(KEYS)
    b.reads.length = 0
    await b.assign({ active: ['0_0'] })
    await b.running.ready()
    expect(b.messages('standby promoted')).toMatchObject([{ task: '0_0', records: behind.length }])
    expect(Math.min(...b.reads)).toBe(read)
    expect(isCounted(b)).toBe(true)
    await feed()
    await vi.waitUntil(() => isCounted(b))
    await vi.waitUntil(async () => (await out()) === rounds * KEYS)
  },
)

it('reads only what is committed, and waits for an open transaction when it takes over', async () => {
  const [a, b] = [await instance(), await instance()]
  await a.assign({ active: ['0_0'] })
  await b.assign({ standby: ['0_0'] })
  await feed()
  await followed(b)
  await a.revoke({})
  const before = b.group.progress!()
  const producer = log.producer({ transactionalId: 'somebody' })
  await producer.init()
  producer.begin()
  const writer = new BatchWriter()
  writer.append(1, Buffer.from('key-0'), Buffer.from('not a count'))
  await producer.send(CHANGELOG, 0, Buffer.from(writer.finish()))
  await b.assign({ active: ['0_0'] })
  await vi.waitUntil(() => b.running.state.phase === 'restoring')
  expect(b.group.progress!()).toEqual([])
  await producer.abort()
  await b.running.ready()
  expect(before).toMatchObject([{ task: '0_0' }])
  await vi.waitUntil(() => isCounted(b))
})

it('begins with a snapshot where there is one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-standby-snapshots-'))
  const snapshots = () => ({ snapshots: { to: snapshotDirectory(directory), intervalMs: 1 } })
  const [a, b] = [await instance(snapshots()), await instance(snapshots())]
  await a.assign({ active: ['0_0'] })
  for (let i = 0; i < 3; i++) {
    await feed()
    await a.running.caughtUp()
  }
  const isThere = () => readdirSync(directory, { recursive: true }).some((name) => `${name}`.endsWith('.manifest.json'))
  await vi.waitUntil(isThere)
  await b.assign({ standby: ['0_0'] })
  await followed(b)
  expect(b.messages('snapshot loaded')).toHaveLength(1)
  expect(Math.min(...b.reads)).toBeGreaterThan(0)
  await a.revoke({})
  await b.assign({ active: ['0_0'] })
  await feed()
  await vi.waitUntil(() => isCounted(b))
})

it.each([
  ['its place in the changelog is gone', 'OFFSET_OUT_OF_RANGE'],
  ['a fetch fails of anything', 'CORRUPT_BATCH'],
] as const)('begins anew when %s, and disturbs nobody', async (_, code) => {
  const clock = manualClock(1_000)
  const [a, b] = [await instance(), await instance({ clock })]
  const time = setInterval(() => clock.advance(1_000), 5)
  await a.assign({ active: ['0_0'] })
  await b.assign({ standby: ['0_0'] })
  await feed()
  await followed(b)
  b.reads.length = 0
  b.seen.failing = new MillraceError(code, 'as told', { topic: CHANGELOG, partition: 0, offset: 7 })
  await vi.waitUntil(() => b.messages('standby cannot go on: it is begun anew').length === 1)
  await feed()
  await followed(b)
  clearInterval(time)
  expect(b.reads).toContain(0)
  expect(b.running.state.phase).toBe('running')
  await a.revoke({})
  await b.assign({ active: ['0_0'] })
  await vi.waitUntil(() => isCounted(b))
})

it('tells the group once when a warm-up has caught up, and not of a standby', async () => {
  const [a, b] = [await instance(), await instance({ acceptableLag: 10 })]
  await a.assign({ active: ['0_0'] })
  await feed()
  await a.running.caughtUp()
  await b.assign({ standby: ['0_0'] })
  await followed(b)
  expect(b.seen.reconsidered).toBe(0)
  await b.assign({ warmup: ['0_0'] })
  await vi.waitUntil(() => b.seen.reconsidered === 1)
  expect(sumOf(await b.metrics(), 'millrace_standby_tasks', { kind: 'warm-up' })).toBe(1)
  await feed()
  await followed(b)
  expect(b.seen.reconsidered).toBe(1)
  expect(b.messages('warm-up has caught up')).toHaveLength(1)
})

it('goes on following while membership is lost', async () => {
  const [a, b] = [await instance(), await instance()]
  await a.assign({ active: ['0_0'] })
  await b.assign({ standby: ['0_0'] })
  await feed()
  await followed(b)
  await b.group.onLost([])
  await feed()
  await followed(b)
  b.reads.length = 0
  await b.assign({ standby: ['0_0'] })
  await feed()
  await followed(b)
  expect(Math.min(...b.reads)).toBeGreaterThan(0)
})

it('says so when the group is too small for the standbys that were asked for', async () => {
  const a = await instance({ standbys: 2 })
  await a.assign({ active: ['0_0'], missingStandbys: 2 })
  await a.assign({ active: ['0_0'], missingStandbys: 2 })
  expect(a.logged.filter(({ msg }) => msg.startsWith('too few instances'))).toMatchObject([{ missing: 2, standbys: 2 }])
  expect(sumOf(await a.metrics(), 'millrace_standbys_missing')).toBe(2)
  await a.assign({ active: ['0_0'] })
  expect(sumOf(await a.metrics(), 'millrace_standbys_missing')).toBe(0)
})

it('is spread by the group itself: a standby beside the task, that takes over when its instance goes', async () => {
  const peers = await Promise.all(
    [0, 1].map(() =>
      run(job, { log: log.peer(), logger: false, commitIntervalMs: 5, handleSignals: false, standbys: 1 }),
    ),
  )
  open.push(...peers)
  const [active, standby] = await vi.waitUntil(() => {
    const [a, b] = [...peers].sort((x, y) => y.state.tasks.length - x.state.tasks.length)
    return a.state.tasks.length === 1 && b.state.standbys.length === 1 && [a, b]
  })
  expect(active.state.standbys).toEqual([])
  const metricsOf = async () => parseMetrics(await standby.metrics.text())
  await feed()
  await active.caughtUp()
  const isFollowed = async () => {
    const lags = (await metricsOf()).filter(({ name }) => name === 'millrace_standby_lag_records')
    return lags.length === 1 && lags[0].value === 0
  }
  await vi.waitUntil(isFollowed)
  await active.stop()
  await vi.waitUntil(() => standby.state.tasks.length === 1)
  await log.connect()
  await feed()
  await standby.caughtUp()
  const counts = Array.from(standby.query<string, number>('counts'), ({ value }) => value)
  expect(counts).toEqual(new Array(KEYS).fill(2))
  expect(sumOf(await metricsOf(), 'millrace_promotion_seconds_count')).toBe(1)
  expect(sumOf(await metricsOf(), 'millrace_standbys_missing')).toBe(1)
})

it.each([{ standbys: -1 }, { standbys: 1.5 }, { maxWarmups: 0 }, { acceptableLag: -1 }])(
  'refuses %o',
  async (options) => {
    await expect(run(job, { log: log.peer(), logger: false, ...options })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
  },
)
