import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { BatchWriter } from '../../../src/log/batch/batch-writer.ts'
import { diskState } from '../../../src/state/disk/sqlite.ts'
import { sumOf } from '../../support/metrics.ts'
import { readRecords } from '../../support/records.ts'
import { CHANGELOG, KEYS, sharedJob } from './shared-job.ts'

/** A standby takes its task over where it is, and who gives the task up keeps its state. */

/** Settings that an instance of a kind is started with; each has a directory of its own. */
const kinds = {
  memory: () => ({}),
  disk: () => ({ state: diskState(mkdtempSync(join(tmpdir(), 'millrace-standby-')), { cacheBytes: 1_000 }) }),
  'at-least-once': () => ({ guarantee: 'at-least-once' as const }),
}

it.each(Object.entries(kinds))('follows a task and takes it over where it is: %s', async (_, settings) => {
  const { pair, feed, fed, changelogEnd, out, followed, isCounted } = await sharedJob()
  const [a, b] = await pair(settings)
  expect(b.running.state).toMatchObject({ phase: 'running', tasks: [], standbys: ['0_0'] })
  for (let i = 0; i < 5; i++) {
    await feed()
    await followed(b)
  }
  expect(b.lag()).toBe(0)
  expect(sumOf(await b.metrics(), 'millrace_standby_tasks', { kind: 'standby' })).toBe(1)
  expect(sumOf(await b.metrics(), 'millrace_standby_lag_records')).toBe(0)
  // Never produces, never commits: a restart of the reader of what is committed finds nothing but what A wrote.
  expect(await out()).toBe(fed())
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
  await vi.waitUntil(async () => (await out()) === fed())
})

it.each(Object.entries(kinds))(
  'keeps the state of a task that it gives up, and gets it back: %s',
  async (_, settings) => {
    const { pair, feed, changelogEnd, followed, isCounted } = await sharedJob()
    const [a, b] = await pair(settings)
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
    const { log, pair, feed, fed, out, followed, isCounted } = await sharedJob()
    const [a, b] = await pair(settings)
    await feed()
    await followed(b)
    b.seen.isPaused = true
    await vi.waitUntil(() => b.seen.isHeld)
    const [{ offset: read }] = b.group.progress!()
    const before = (await readRecords(log, CHANGELOG)).length
    for (let i = 0; i < 3; i++) {
      await feed()
      await a.running.caughtUp()
    }
    const [{ offset: still }] = b.group.progress!()
    expect(still).toBe(read)
    await a.revoke({})
    const behind = (await readRecords(log, CHANGELOG)).slice(before)
    expect(behind.length).toBeGreaterThanOrEqual(KEYS)
    b.reads.length = 0
    await b.assign({ active: ['0_0'] })
    await b.running.ready()
    expect(b.messages('standby promoted')).toMatchObject([{ task: '0_0', records: behind.length }])
    expect(Math.min(...b.reads)).toBe(read)
    expect(isCounted(b)).toBe(true)
    await feed()
    await vi.waitUntil(() => isCounted(b))
    await vi.waitUntil(async () => (await out()) === fed())
  },
)

it('reads only what is committed, and waits for an open transaction when it takes over', async () => {
  const { log, pair, feed, followed, isCounted } = await sharedJob()
  const [a, b] = await pair()
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
