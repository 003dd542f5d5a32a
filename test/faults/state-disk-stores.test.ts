import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  aggregate,
  count,
  groupByKey,
  json,
  last,
  type Running,
  run,
  session,
  stream,
  string,
  to,
  topology,
  toStream,
  windowed,
  windowedBy,
} from '../../src/index.ts'
import { type MemoryLog, memoryLog } from '../../src/log/memory.ts'
import { diskState } from '../../src/state/disk/index.ts'
import { readRecords, writeRecords } from '../support/records.ts'

/* State on a disk of its own, which is full: at a commit, in a restore, at the start. */

const KEYS = 3_000
const VALUE = 'x'.repeat(300)
const grouped = stream('in', { key: string(), value: string() }).pipe(groupByKey())
const job = topology('full-disk', [
  grouped.pipe(
    aggregate('state', { records: count(), newest: last((value: string) => value) }),
    toStream(),
    to('totals', { key: string(), value: json<{ records: number } | null>() }),
  ),
  grouped.pipe(
    windowedBy(session(10)),
    count('sessions'),
    toStream(),
    to('sessions', { key: windowed(string()), value: json<number | null>() }),
  ),
])

let disk: string
let log: MemoryLog
beforeEach(async () => {
  disk = await mkdtemp(join(tmpdir(), 'millrace-full-'))
  log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'totals', 'sessions'].map((topic) => ({ topic, partitions: 1 })))
})
afterEach(async () => {
  spawnSync('umount', [disk])
  await rm(disk, { recursive: true, force: true })
})

const mount = (options: string) => spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]).status === 0
const start = async (onDisk: boolean): Promise<Running> => {
  const peer = log.peer()
  await peer.connect()
  const state = onDisk ? diskState(disk, { cacheBytes: 0, pageCacheBytes: 0 }) : undefined
  return run(job, { log: peer, state, logger: false, commitIntervalMs: 20, handleSignals: false })
}
const feed = (round: number) =>
  writeRecords(
    log,
    'in',
    Array.from({ length: KEYS }, (_, i) => ({ key: `key-${i}`, value: VALUE, timestamp: round * 1_000 })),
  )
const fails = async (work: Promise<unknown>) => {
  await expect(work).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringContaining(disk),
    hint: expect.stringContaining('nothing is lost'),
  })
}
/** Every record is counted, once. */
const expectRight = async (rounds: number) => {
  const totals = new Map((await readRecords(log, 'totals')).map(({ key, value }) => [key, JSON.parse(value!).records]))
  expect(totals.size).toBe(KEYS)
  expect(new Set(totals.values())).toEqual(new Set([rounds]))
  const sessions = await readRecords(log, 'sessions')
  expect(sessions.length).toBe(KEYS * rounds)
  expect(new Set(sessions.map(({ value }) => value))).toEqual(new Set(['1']))
}
const finish = async (rounds: number) => {
  expect(mount('remount,size=64m')).toBe(true)
  const again = await start(true)
  await again.caughtUp()
  await again.stop()
  await expectRight(rounds)
  expect((await readdir(disk)).filter((name) => name.endsWith('.rows'))).toEqual([])
}

it('stops at a commit that does not fit, commits nothing of it, and goes on when there is room', async (context) => {
  if (!mount('size=256k')) return context.skip('this user may not mount a file system')
  await feed(0)
  const running = await start(true)
  await fails(running.done)
  expect(await readRecords(log, 'totals')).toEqual([])
  await finish(1)
})

it('stops in a restore that does not fit, and loses nothing', async (context) => {
  if (!mount('size=256k')) return context.skip('this user may not mount a file system')
  await feed(0)
  const before = await start(false)
  await before.caughtUp()
  await before.stop()
  await feed(1)
  await fails(start(true).then((running) => running.done))
  await expectRight(1)
  await finish(2)
})

it('says so at the start when there is no room for a file', async (context) => {
  if (!mount('size=64k')) return context.skip('this user may not mount a file system')
  await writeFile(join(disk, 'full'), Buffer.alloc(1 << 20)).catch(() => {})
  await feed(0)
  await fails(start(true).then((running) => running.done))
  await finish(1)
})
