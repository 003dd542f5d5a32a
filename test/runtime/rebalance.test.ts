import { expect, it, vi } from 'vitest'
import { count, groupByKey, json, stream, string, to, topology, toStream } from '../../src/index.ts'
import type { GroupOptions, Log, LogReader } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { readRecords, writeRecords } from '../support/records.ts'

/** A rebalance as an instance sees it, step by step: the test is the group. */

const job = topology('shares', [
  stream('in', { key: string(), value: string() }).pipe(
    groupByKey(),
    count('counts'),
    toStream(),
    to('out', { key: string(), value: json<number | null>() }),
  ),
])
/** The membership of nobody, which a group without members accepts. */
const stamp = { group: 'shares', memberId: '', epoch: -1 }
const REFUSED = { ...stamp, memberId: 'of another', epoch: 7 }

async function instance(guarantee: 'exactly-once' | 'at-least-once' = 'exactly-once') {
  const log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 2 })))
  let group: GroupOptions | undefined
  const restoring = { held: undefined as Promise<void> | undefined, reads: 0 }
  const watched = (reader: LogReader): LogReader => ({
    async fetch(positions, options) {
      if (positions.some(({ topic }) => topic.endsWith('-changelog'))) {
        restoring.reads++
        await restoring.held
      }
      return reader.fetch(positions, options)
    },
    close: () => reader.close(),
  })
  const seen: Log = {
    ...log.peer(),
    reader: (options) => watched(log.reader(options)),
    group(options) {
      group = options
      return { ...plainOffsets(log, options), join: async () => {}, leave: async () => {}, reconsider: () => {} }
    },
  }
  const running = await run(job, { log: seen, guarantee, logger: false, commitIntervalMs: 5 })
  await vi.waitUntil(() => running.state.phase === 'rebalancing')
  let fed = 0
  return {
    log,
    running,
    restoring,
    group: group!,
    /** Records for both partitions, each key once. */
    async feed(records: number) {
      const more = Array.from({ length: records }, (_, i) => ({
        key: `key-${fed + i}`,
        value: 'x',
        timestamp: fed + i,
      }))
      fed += records
      await writeRecords(log, 'in', more)
      return fed
    },
    counted: () => Array.from(running.query('counts')).length,
    committed: async () => (await readRecords(log, 'out')).length,
    tasks: () => [...running.state.tasks],
  }
}

/** Calls of the object itself: it is a class with state. */
function plainOffsets(log: Log, options: GroupOptions) {
  const group = log.group(options)
  return {
    committed: (...of: Parameters<typeof group.committed>) => group.committed(...of),
    commit: (...of: Parameters<typeof group.commit>) => group.commit(...of),
  }
}

const both = { active: ['0_0', '0_1'], standby: [], stamp }
const one = { active: ['0_0'], standby: [], stamp }
const recordsOf = async (log: Log, topic: string, partition: number) =>
  (await readRecords(log, topic)).filter((record) => record.partition === partition).length

it.each(['exactly-once', 'at-least-once'] as const)(
  'goes on processing while the group is rebalancing, and commits when it has a stamp again (%s)',
  async (guarantee) => {
    const { group, running, feed, counted, committed } = await instance(guarantee)
    await group.onAssigned(both)
    await feed(100)
    await vi.waitUntil(async () => (await committed()) === 100)
    await group.onRebalancing?.()
    await feed(100)
    await vi.waitUntil(() => counted() === 200)
    expect(running.state.phase).toBe('running')
    expect(await committed()).toBe(100)
    await group.onAssigned(both)
    await vi.waitUntil(async () => (await committed()) === 200)
    await running.stop()
  },
)

it('commits what is taken from it, and only that stops', async () => {
  const { log, group, running, feed, counted, tasks } = await instance()
  await group.onAssigned(both)
  await group.onRebalancing?.()
  const fed = await feed(100)
  await vi.waitUntil(() => counted() === fed)
  await group.onRevoked(['0_1'], stamp)
  // It is acknowledged now, and so must be committed.
  expect(await recordsOf(log, 'out', 1)).toBe(await recordsOf(log, 'in', 1))
  expect(tasks()).toEqual(['0_0'])
  await group.onAssigned(one)
  await feed(100)
  const [left, other] = [await recordsOf(log, 'in', 0), await recordsOf(log, 'out', 1)]
  await vi.waitUntil(async () => (await recordsOf(log, 'out', 0)) === left)
  expect(await recordsOf(log, 'out', 1)).toBe(other)
  await running.stop()
})

it('goes on with the tasks that run while others are being restored', async () => {
  const { log, group, running, restoring, feed, tasks } = await instance()
  await group.onAssigned(both)
  await feed(100)
  await running.caughtUp()
  await group.onRevoked(['0_1'], stamp)
  await group.onAssigned(one)
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  restoring.held = held
  await group.onAssigned(both)
  await vi.waitUntil(() => running.state.phase === 'restoring')
  expect(tasks()).toEqual(['0_0'])
  await feed(100)
  const left = await recordsOf(log, 'in', 0)
  await vi.waitUntil(async () => (await recordsOf(log, 'out', 0)) === left)
  expect(running.state.phase).toBe('restoring')
  release()
  await vi.waitUntil(() => running.state.phase === 'running')
  expect(tasks()).toEqual(['0_0', '0_1'])
  await running.caughtUp()
  expect(await readRecords(log, 'out')).toHaveLength(200)
  await running.stop()
})

it('gives up a task that it is still restoring, and restores it anew when it comes back', async () => {
  const { group, running, restoring, feed, tasks } = await instance()
  await group.onAssigned(both)
  await feed(100)
  await running.caughtUp()
  await group.onRevoked(['0_1'], stamp)
  await group.onAssigned(one)
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  restoring.held = held
  await group.onAssigned(both)
  await vi.waitUntil(() => restoring.reads > 0)
  await group.onRevoked(['0_1'], stamp)
  await group.onAssigned(one)
  expect(running.state.phase).toBe('running')
  const reads = restoring.reads
  await group.onAssigned(both)
  await vi.waitUntil(() => restoring.reads > reads)
  release()
  await vi.waitUntil(() => running.state.phase === 'running')
  expect(tasks()).toEqual(['0_0', '0_1'])
  await running.stop()
})

it('drops everything when membership is lost in the middle, and counts nothing twice', async () => {
  const { log, group, running, feed, counted } = await instance()
  await group.onAssigned(both)
  await group.onRebalancing?.()
  const fed = await feed(100)
  await vi.waitUntil(() => counted() === fed)
  await group.onLost(['0_0', '0_1'])
  expect(counted()).toBe(0)
  await group.onAssigned(both)
  await running.caughtUp()
  const out = await readRecords(log, 'out')
  expect(out).toHaveLength(100)
  expect(new Set(out.map(({ value }) => value))).toEqual(new Set(['1']))
  await running.stop()
})

it('starts over from the last commit when its stamp is refused', async () => {
  const { log, group, running, feed } = await instance()
  let restored = 0
  running.state$.subscribe(({ phase }) => void (phase === 'restoring' && restored++))
  await group.onAssigned({ ...both, stamp: REFUSED })
  await feed(100)
  await vi.waitUntil(() => restored > 1)
  await group.onAssigned(both)
  await running.caughtUp()
  expect(await readRecords(log, 'out')).toHaveLength(100)
  await running.stop()
})

it('stops while the group is rebalancing, without waiting for it', async () => {
  const { log, group, running, feed, counted } = await instance()
  await group.onAssigned(both)
  await group.onRebalancing?.()
  const fed = await feed(100)
  await vi.waitUntil(() => counted() === fed)
  await running.stop()
  await log.connect()
  expect(await readRecords(log, 'out')).toHaveLength(100)
})

it('is not ready while the tasks that may be for it are still being given up by others', async () => {
  const { group, running } = await instance()
  await group.onAssigned({ active: [], standby: [], stamp, isMoving: true })
  expect(running.state.phase).toBe('rebalancing')
  await group.onAssigned({ ...both, isMoving: true })
  await running.ready()
  await group.onAssigned({ active: [], standby: [], stamp })
  expect(running.state.phase).toBe('running')
  await running.stop()
})
