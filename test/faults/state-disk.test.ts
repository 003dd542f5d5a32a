import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { count, groupByKey, json, run, stream, string, to, topology, toStream } from '../../src/index.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { snapshotDirectory } from '../../src/snapshots/index.ts'
import { keptLog } from '../support/log-lines.ts'
import { readRecords, writeRecords } from '../support/records.ts'
import { kafkaBrokers, uniqueName } from '../support/services.ts'

/** A disk of its own, of a quarter of a megabyte, for the snapshots: it fills up, and later there is room. */
const KEYS = 30_000

let disk: string
let mounted: boolean
let log: Log
beforeAll(async () => {
  disk = await mkdtemp(join(tmpdir(), 'millrace-full-'))
  mounted = mount('size=256k')
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(async () => {
  await log.close()
  if (mounted) spawnSync('umount', [disk])
  await rm(disk, { recursive: true, force: true })
})

const mount = (options: string) => spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]).status === 0

it('a full disk for snapshots costs nothing but the snapshots, and they come when there is room', async (context) => {
  if (!mounted) return context.skip('this user may not mount a file system, and no other disk here is small')
  const name = uniqueName('full')
  await log.admin.create([`${name}-in`, `${name}-out`].map((topic) => ({ topic, partitions: 1 })))
  const job = topology(name, [
    stream(`${name}-in`, { key: string(), value: string() }).pipe(
      groupByKey(),
      count('counts'),
      toStream(),
      to(`${name}-out`, { key: string(), value: json<number | null>() }),
    ),
  ])
  const { logger, lines } = keptLog()
  const start = () =>
    run(job, {
      log: kafka({ brokers: kafkaBrokers() }),
      commitIntervalMs: 50,
      snapshots: { to: snapshotDirectory(disk), intervalMs: 50 },
      handleSignals: false,
      logger,
    })
  let fed = 0
  const feed = async () => {
    fed++
    for (let from = 0; from < KEYS; from += 10_000) {
      await writeRecords(
        log,
        `${name}-in`,
        Array.from({ length: 10_000 }, (_, i) => ({ key: `key-${from + i}`, value: 'x', timestamp: fed })),
      )
    }
  }
  const metric = (text: string, of: string) => Number(new RegExp(`${of}\\{.*\\} (\\d+)`).exec(text)?.[1] ?? 0)

  const running = await start()
  await feed()
  await running.caughtUp()
  const failures = async () => metric(await running.metrics.text(), 'snapshot_failures_total')
  await vi.waitUntil(async () => (await failures()) > 1, { timeout: 30_000, interval: 20 })
  await feed()
  await running.caughtUp()
  expect(running.state.phase).toBe('running')
  const told = lines.find(({ msg }) => msg.startsWith('snapshot not written'))
  expect(told).toMatchObject({ err: { message: expect.stringMatching(/ENOSPC/) } })

  expect(mount('remount,size=64m')).toBe(true)
  const room = await failures()
  const bytes = async () => metric(await running.metrics.text(), 'snapshot_bytes_total')
  await vi.waitUntil(async () => (await bytes()) > KEYS * 10, { timeout: 30_000, interval: 20 })
  await feed()
  await running.caughtUp()
  await running.stop()
  expect(lines.filter(({ msg }) => msg.startsWith('snapshot not written')).length).toBeLessThanOrEqual(room + 1)

  const again = await start()
  await again.ready()
  expect(lines.some(({ msg }) => msg === 'snapshot loaded')).toBe(true)
  await feed()
  await again.caughtUp()
  await again.stop()
  const counts = new Map((await readRecords(log, `${name}-out`)).map(({ key, value }) => [key, Number(value)]))
  expect(counts.size).toBe(KEYS)
  expect(new Set(counts.values())).toEqual(new Set([fed]))
})
