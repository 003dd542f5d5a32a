import { once } from 'node:events'
import { onTestFinished, vi } from 'vitest'
import { count, groupByKey, json, stream, string, to, topology, toStream } from '../../../src/index.ts'
import type { Assignment, GroupOptions, Log, LogReader } from '../../../src/log/log.ts'
import { type MemoryLog, memoryLog } from '../../../src/log/memory.ts'
import type { RunOptions } from '../../../src/runtime/options.ts'
import { run } from '../../../src/runtime/run.ts'
import { keptLog } from '../../support/log-lines.ts'
import { parseMetrics } from '../../support/metrics.ts'
import { readRecords, writeRecords } from '../../support/records.ts'

export const job = topology('shares', [
  stream('in', { key: string(), value: string() }).pipe(
    groupByKey(),
    count('counts'),
    toStream(),
    to('out', { key: string(), value: json<number | null>() }),
  ),
])
export const CHANGELOG = 'shares-counts-changelog'
export const KEYS = 200
/** The membership of nobody, which a group without members accepts. */
const stamp = { group: 'shares', memberId: '', epoch: -1 }

/** A log with the topics of the job, and what instances of it do there. */
export async function sharedJob() {
  const log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))

  const instance = (options: Partial<RunOptions> = {}) => watched(log, options)
  /** An instance with the task, and one with its standby. */
  async function pair(
    settings: () => Partial<RunOptions> = () => ({}),
  ): Promise<[active: Instance, standby: Instance]> {
    const [a, b] = [await instance(settings()), await instance(settings())]
    await a.assign({ active: ['0_0'] })
    await b.assign({ standby: ['0_0'] })
    return [a, b]
  }

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
  /** How many records there have been. */
  const fed = () => rounds * KEYS
  const changelogEnd = async () => (await log.admin.endOffsets([{ topic: CHANGELOG, partition: 0 }]))[0].offset
  const out = async () => (await readRecords(log, 'out')).length
  /** Everything that was fed is committed, and this instance has read it all. */
  const followed = (of: Instance) =>
    vi.waitUntil(async () => {
      const end = await changelogEnd()
      const [progress] = of.group.progress!()
      return (await out()) >= fed() && progress?.offset === end
    })
  const isCounted = (of: Instance) => {
    const counts = of.counts()
    return counts.size === KEYS && [...counts.values()].every((n) => n === rounds)
  }

  return { log, instance, pair, feed, fed, changelogEnd, out, followed, isCounted }
}

/** An instance whose group is the test, with what it logs and reads; it is stopped when the test is over. */
async function watched(log: MemoryLog, options: Partial<RunOptions>) {
  let group: GroupOptions | undefined
  const { logger, lines: logged } = keptLog()
  /** Where reads of the changelog began. */
  const reads: number[] = []
  const seen = {
    reconsidered: 0,
    failing: undefined as (() => Promise<never>) | undefined,
    isPaused: false,
    isHeld: false,
  }
  const watch = (reader: LogReader): LogReader => ({
    async fetch(positions, how) {
      const { failing } = seen
      seen.failing = undefined
      if (failing) return failing()
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
    reader: (how) => watch(log.reader(how)),
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
    logger,
    commitIntervalMs: 5,
    handleSignals: false,
    ...options,
  })
  onTestFinished(() => running.stop())
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
export type Instance = Awaited<ReturnType<typeof watched>>
