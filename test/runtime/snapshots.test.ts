import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it, vi } from 'vitest'
import { count, groupByKey, json, MillraceError, stream, string, to, topology, toStream } from '../../src/index.ts'
import { type MemoryLog, memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { snapshotDirectory } from '../../src/snapshots/directory.ts'
import type { SnapshotStore } from '../../src/snapshots/snapshot-store.ts'
import { keptLog } from '../support/log-lines.ts'
import { readRecords, writeRecords } from '../support/records.ts'

const counted = topology('counted', [
  stream('in', { key: string(), value: string() }).pipe(
    groupByKey(),
    count('per-key'),
    toStream(),
    to('out', { key: string(), value: json<number | null>() }),
  ),
])
const KEYS = 500

let log: MemoryLog
let directory: string
const { logger, lines: logged } = keptLog()
let written: number

beforeEach(async () => {
  log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  directory = await mkdtemp(join(tmpdir(), 'millrace-snapshots-'))
  logged.length = 0
  written = 0
})

const folder = () => join(directory, 'counted', 'counted-per-key-changelog', '0')
const messages = (text: string) => logged.filter(({ msg }) => msg.includes(text))

/** Adds one record per key, runs until all is committed and a snapshot is written, and gives what was restored. */
async function round(elsewhere?: SnapshotStore, rounds = 1): Promise<string> {
  const to = elsewhere ?? snapshotDirectory(directory)
  const peer = log.peer()
  await peer.connect()
  const running = await run(counted, {
    log: peer,
    logger,
    commitIntervalMs: 5,
    snapshots: { to, intervalMs: 1 },
    handleSignals: false,
  })
  for (let i = 0; i < rounds; i++) {
    const records = Array.from({ length: KEYS }, (_, k) => ({ key: `key-${k}`, value: 'x', timestamp: k }))
    await writeRecords(log, 'in', records)
    written++
    await running.caughtUp()
    const attempts = async () =>
      Number(/snapshot_(?:bytes|failures)_total\{.*\} (\d+)/.exec(await running.metrics.text())?.[1] ?? 0)
    await vi.waitUntil(attempts, { timeout: 10_000 })
  }
  // The first one counts when a commit has come after its walk.
  const hasManifest = async () => (await readdir(folder())).some((name) => name.endsWith('.manifest.json'))
  if (elsewhere === undefined) await vi.waitUntil(hasManifest, { timeout: 10_000 })
  const text = await running.metrics.text()
  await running.stop()
  return text
}

const expectRight = async () => {
  const last = new Map((await readRecords(log, 'out')).map(({ key, value }) => [key, Number(value)]))
  expect(last.size).toBe(KEYS)
  expect(new Set(last.values())).toEqual(new Set([written]))
}

it('restores from the snapshot and the end of the changelog', async () => {
  await round()
  logged.length = 0
  await round()
  expect(messages('snapshot loaded')).toMatchObject([{ records: KEYS }])
  // Nothing was written behind the snapshot: the changelog was not read at all.
  expect(messages('state restored')).toEqual([])
  await round()
  await expectRight()
})

it('writes changes behind the base, makes a new base in time, and removes what is old', async () => {
  await round(undefined, 8)
  const manifests = (await readdir(folder())).filter((name) => name.endsWith('.manifest.json'))
  expect(manifests.length).toBeLessThanOrEqual(2)
  logged.length = 0
  await round()
  expect(messages('snapshot loaded').length).toBe(1)
  await expectRight()
})

it.each([
  [
    'a segment with a wrong byte',
    async (path: string) => {
      const bytes = await readFile(path)
      bytes[bytes.length >> 1] ^= 1
      await writeFile(path, bytes)
    },
    '.segment',
  ],
  ['a segment cut short', async (path: string) => writeFile(path, (await readFile(path)).subarray(0, 100)), '.segment'],
  ['a segment that is gone', (path: string) => rm(path), '.segment'],
  ['a manifest cut short', async (path: string) => writeFile(path, (await readFile(path)).subarray(0, 50)), '.json'],
  ['a manifest of something else', (path: string) => writeFile(path, 'hello'), '.json'],
] as const)('passes over %s, at the price of time', async (_, damage, ending) => {
  await round()
  for (const name of await readdir(folder())) if (name.endsWith(ending)) await damage(join(folder(), name))
  logged.length = 0
  await round()
  expect(messages('not usable').length).toBeGreaterThan(0)
  expect(messages('state restored')).toMatchObject([{ records: expect.any(Number) }])
  await expectRight()
})

it('does not take the snapshot of a state of the same name on another cluster', async () => {
  await round()
  log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  written = 0
  await round(snapshotDirectory(await mkdtemp(join(tmpdir(), 'millrace-snapshots-'))))
  logged.length = 0
  await round()
  expect(messages('not usable').length).toBeGreaterThan(0)
  await expectRight()
})

it('goes on without snapshots while they cannot be written or read, and counts it', async () => {
  const full = async () => {
    throw new MillraceError('DISK_FULL', 'no space left', { retriable: true })
  }
  const broken: SnapshotStore = { ...snapshotDirectory(directory), write: full, list: full }
  const text = await round(broken)
  expect(text).toMatch(/millrace_snapshot_failures_total\{application="counted"\} [1-9]/)
  await round(broken)
  expect(messages('snapshots cannot be read').length).toBeGreaterThan(0)
  await expectRight()
})

it('is written in one go where nothing else is to be done', async () => {
  const peer = log.peer()
  await peer.connect()
  const records = Array.from({ length: 100_000 }, (_, k) => ({ key: `key-${k}`, value: 'x', timestamp: k }))
  await writeRecords(log, 'in', records)
  const running = await run(counted, {
    log: peer,
    logger: false,
    commitIntervalMs: 1_000,
    snapshots: { to: snapshotDirectory(directory), intervalMs: 1 },
    handleSignals: false,
  })
  await running.caughtUp()
  // A slice of 2,000 entries for each of the loop's rounds, which come once per commit in an idle job, would take 17 s and more.
  const names = () => readdir(folder()).catch(() => [])
  await vi.waitUntil(async () => (await names()).some((name) => name.endsWith('.json')), { timeout: 10_000 })
  await running.stop()
})
