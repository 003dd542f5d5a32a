import { describe, expect, it } from 'vitest'
import type { TaskProgress } from '../../../../../src/log/log.ts'
import { code, HEARTBEAT, membersOf, runs, SESSION, stampOf } from '../members.ts'
import { streams } from '../protocols.ts'

const on = membersOf(streams)
const RARE = 2_000
const rare = { heartbeatIntervalMs: RARE }

/** How many heartbeats there are in that time. */
async function beatsIn(ms: number): Promise<number> {
  const before = on.broker.beats.length
  await on.broker.pass(ms)
  return on.broker.beats.length - before
}

describe('heartbeats', () => {
  it('are frequent while something may be on its way, and then as told', async () => {
    await on.settled(rare)
    await on.broker.pass(SESSION * 2)
    expect(await beatsIn(RARE * 5)).toBeLessThanOrEqual(6)
    on.broker.rebalance()
    await on.broker.pass(RARE)
    expect(await beatsIn(RARE)).toBeGreaterThanOrEqual(8)
  })

  it('say at once what has been given up, however rare they have become', async () => {
    const a = await on.settled(rare)
    const stopped = Promise.withResolvers<void>()
    a.seen.hooks.revoked = () => stopped.promise
    on.member(rare)
    await on.broker.pass(SESSION * 2)
    const { length } = on.broker.beats
    stopped.resolve()
    const said = () => on.broker.beats.slice(length).filter(({ memberId }) => memberId === stampOf(a).memberId)
    await on.broker.until('said', () => said().length > 0, 20)
    expect(said()[0].active).toEqual(['0_0', '0_1'])
  })

  it('tell all of the member after an answer that did not come; the epoch it has missed does not fence it', async () => {
    const a = await on.settled(rare)
    await on.broker.pass(SESSION)
    on.broker.rebalance()
    on.broker.fail('StreamsGroupHeartbeat', 'lose the answer')
    const { epoch } = stampOf(a)
    await on.broker.until('told', () => stampOf(a).epoch > epoch)
    expect(a.seen.kinds()).not.toContain('lost')
  })
})

describe('statuses of the group', () => {
  it.each([
    [1, 'MISSING_TOPIC', /createTopics/],
    [2, 'TOPIC_MISMATCH', /repartition/],
    [3, 'MISSING_TOPIC', /internal topics/],
  ])('that mean no tasks (%i) are waited out for a while, and then end it', async (status, expected, text) => {
    const one = await on.settled(rare)
    on.broker.state.statuses = [{ code: status, detail: 'x is wrong' }]
    on.broker.rebalance()
    await on.broker.pass(15_000)
    expect(one.seen.errors).toEqual([])
    expect(one.seen.state.tasks).toEqual([])
    const error = await on.failed(one, 10_000)
    expect(code(error)).toBe(expected)
    expect(String(error)).toMatch(/x is wrong/)
    expect(String(error)).toMatch(text)
  })

  it('that pass are forgotten', async () => {
    const one = await on.settled(rare)
    on.broker.state.statuses = [{ code: 3, detail: 'x' }]
    on.broker.rebalance()
    await on.broker.pass(15_000)
    on.broker.state.statuses = []
    on.broker.rebalance()
    await on.broker.until('tasks run', () => runs(4)(one))
    await on.broker.pass(30_000)
    expect(one.seen.errors).toEqual([])
  })

  it('of an application that is to stop stop it', async () => {
    const one = await on.settled()
    on.broker.state.statuses = [{ code: 4, detail: 'asked' }]
    expect(code(await on.failed(one, HEARTBEAT * 2))).toBe('CLOSED')
  })

  it.each([0, 6, 99])('that somebody should see are told once (%i)', async (status) => {
    const one = await on.settled()
    on.broker.state.statuses = [{ code: status, detail: 'look' }]
    await on.broker.pass(30_000)
    expect(one.seen.warnings).toEqual([expect.stringContaining('look')])
    expect(one.seen.state.tasks).toHaveLength(4)
  })

  it('of a broker that has not decided yet mean a heartbeat soon', async () => {
    on.broker.state.statuses = [{ code: 5, detail: 'later' }]
    const one = await on.settled(rare)
    await on.broker.pass(SESSION * 3)
    expect(await beatsIn(RARE)).toBeGreaterThanOrEqual(8)
    expect(one.seen.warnings).toEqual([])
  })
})

describe('progress', () => {
  const progress: TaskProgress[] = [{ task: '0_1', offset: 7, end: 9 }]
  const told = () => on.broker.beats.flatMap(({ offsets }) => offsets ?? [])

  it('is told as often as the broker asks, and at once when a warm-up has caught up', async () => {
    on.broker.state.offsetIntervalMs = 10_000
    const one = await on.settled({ ...rare, progress: () => progress })
    await on.broker.pass(9_000)
    expect(told()).toEqual([])
    await on.broker.pass(5_000)
    expect(told()).toEqual(['0_1@7'])
    one.group.reconsider()
    await on.broker.pass(100)
    expect(told()).toEqual(['0_1@7', '0_1@7'])
    await on.broker.pass(9_000)
    expect(told()).toHaveLength(2)
  })

  it('is told by the next heartbeat when it falls due while one is on its way', async () => {
    const one = await on.settled({ ...rare, progress: () => progress })
    on.broker.wire.onRequest = () => {
      on.broker.wire.onRequest = undefined
      one.group.reconsider()
    }
    await on.broker.until('progress is told', () => told().length > 0, 20_000)
    expect(told()).toEqual(['0_1@7'])
  })

  it('is not told to a broker that refuses it: before Kafka 4.4', async () => {
    on.broker.speaks.set(88, { min: 0, max: 0 })
    on.broker.state.offsetIntervalMs = 1_000
    const one = await on.settled({ progress: () => progress })
    one.group.reconsider()
    await on.broker.pass(10_000)
    expect(told()).toEqual([])
    expect(one.seen.errors).toEqual([])
  })

  it('is not told where there is none', async () => {
    on.broker.state.offsetIntervalMs = 1_000
    await on.settled()
    await on.broker.pass(10_000)
    expect(on.broker.beats.filter(({ offsets }) => offsets !== undefined)).toEqual([])
  })
})
