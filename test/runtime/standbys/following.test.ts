import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { MillraceError } from '../../../src/index.ts'
import { snapshotDirectory } from '../../../src/snapshots/directory.ts'
import { manualClock } from '../../../src/time.ts'
import { sumOf } from '../../support/metrics.ts'
import { CHANGELOG, sharedJob } from './shared-job.ts'

/** Where a standby begins, what it survives, and what it tells the group of how far it is. */

it('begins with a snapshot where there is one', async () => {
  const { instance, feed, followed, isCounted } = await sharedJob()
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
  const { instance, feed, followed, isCounted } = await sharedJob()
  const clock = manualClock(1_000)
  const [a, b] = [await instance(), await instance({ clock })]
  const time = setInterval(() => clock.advance(1_000), 5)
  await a.assign({ active: ['0_0'] })
  await b.assign({ standby: ['0_0'] })
  await feed()
  await followed(b)
  b.reads.length = 0
  b.seen.failing = async () => {
    throw new MillraceError(code, 'as told', { topic: CHANGELOG, partition: 0, offset: 7 })
  }
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
  const { instance, feed, followed } = await sharedJob()
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
  const { pair, feed, followed } = await sharedJob()
  const [, b] = await pair()
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
