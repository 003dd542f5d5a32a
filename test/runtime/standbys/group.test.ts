import { expect, it, onTestFinished, vi } from 'vitest'
import { run } from '../../../src/runtime/run.ts'
import { parseMetrics, sumOf } from '../../support/metrics.ts'
import { job, KEYS, sharedJob } from './shared-job.ts'

/** How many standbys there are: asked for, missing, and spread by the group itself. */

it('says so when the group is too small for the standbys that were asked for', async () => {
  const { instance } = await sharedJob()
  const a = await instance({ standbys: 2 })
  await a.assign({ active: ['0_0'], missingStandbys: 2 })
  await a.assign({ active: ['0_0'], missingStandbys: 2 })
  expect(a.logged.filter(({ msg }) => msg.startsWith('too few instances'))).toMatchObject([{ missing: 2, standbys: 2 }])
  expect(sumOf(await a.metrics(), 'millrace_standbys_missing')).toBe(2)
  await a.assign({ active: ['0_0'] })
  expect(sumOf(await a.metrics(), 'millrace_standbys_missing')).toBe(0)
})

it('is spread by the group itself: a standby beside the task, that takes over when its instance goes', async () => {
  const { log, feed } = await sharedJob()
  const peers = await Promise.all(
    [0, 1].map(() =>
      run(job, { log: log.peer(), logger: false, commitIntervalMs: 5, handleSignals: false, standbys: 1 }),
    ),
  )
  for (const peer of peers) onTestFinished(() => peer.stop())
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
    const { log } = await sharedJob()
    await expect(run(job, { log: log.peer(), logger: false, ...options })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
  },
)
