import { describe, expect, it } from 'vitest'
import { code, HEARTBEAT, membersOf, REBALANCE, runs, SESSION, stampOf } from '../members.ts'
import { streams } from '../protocols.ts'

const on = membersOf(streams)

it('says who it is and what it runs when it joins, and later only what has changed', async () => {
  const one = await on.settled({ processId: 'p-1' })
  await on.broker.pass(HEARTBEAT * 2)
  const [join, ...later] = on.broker.beats
  expect(join).toMatchObject({
    memberId: stampOf(one).memberId,
    epoch: 0,
    rack: 'r1',
    rebalanceTimeoutMs: REBALANCE,
    processId: 'p-1',
    active: [],
    topology: [{ id: '0', sources: ['t'] }],
  })
  expect(later.length).toBeGreaterThan(2)
  for (const { topology, rebalanceTimeoutMs } of later) {
    expect(topology).toBe(undefined)
    expect(rebalanceTimeoutMs).toBe(-1)
  }
})

it('commits what it loses in the epoch in which it held it', async () => {
  const a = await on.settled()
  const { epoch } = stampOf(a)
  const b = on.member()
  await on.broker.until('shared', () => [a, b].every(runs(2)))
  expect(a.seen.state.revokedWith).toMatchObject({ epoch })
})

it('is left out when giving up takes longer than the rebalance may, and comes back', async () => {
  const a = await on.settled()
  const stopped = Promise.withResolvers<void>()
  a.seen.hooks.revoked = () => stopped.promise
  const b = on.member()
  await on.broker.until('b has all', () => runs(4)(b), REBALANCE + SESSION)
  expect(a.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3', 'revoked 0_2 0_3'])
  await on.broker.pass(HEARTBEAT)
  stopped.resolve()
  await on.broker.until('shared', () => [a, b].every(runs(2)))
  expect(a.seen.calls.slice(2, 3)).toEqual(['lost 0_0 0_1'])
})

it('says of a member without tasks that some may come, and later that there are none', async () => {
  const moving: (boolean | undefined)[] = []
  const four = [...(await on.shared()), on.member(), on.member()]
  await on.broker.until('four share', () => four.every(runs(1)))
  const idle = on.member({
    onAssigned: async ({ active, isMoving }) => void (active.length === 0 && moving.push(isMoving)),
  })
  await on.broker.until('told twice', () => moving.includes(false))
  expect(moving[0]).toBe(true)
  expect(idle.seen.errors).toEqual([])
})

it('ends over tasks that its plan does not have', async () => {
  const error = await on.failed(on.member({ tasks: ['0_0', '0_1'] }))
  expect(code(error)).toBe('TOPIC_MISMATCH')
  expect(error.message).toMatch(/0_2, 0_3/)
  expect(on.broker.members.size).toBe(0)
})

describe('a static member', () => {
  it('says that it comes back', async () => {
    const a = await on.settled({ instanceId: 'a' })
    await a.group.leave()
    expect(on.broker.beats.at(-1)).toMatchObject({ epoch: -2, instanceId: 'a' })
  })

  it('says in every heartbeat who it is, so that it is told when it has been replaced', async () => {
    await on.settled({ instanceId: 'a' })
    await on.broker.pass(2 * HEARTBEAT)
    expect(new Set(on.broker.beats.map(({ instanceId }) => instanceId))).toEqual(new Set(['a']))
  })

  it('takes the place of a process that has not said so as if it had', async () => {
    const old = await on.settled({ instanceId: 'a' })
    const { memberId } = stampOf(old)
    old.line.isCut = true
    const fresh = on.member({ instanceId: 'a' })
    await on.broker.until('taken over', () => runs(4)(fresh), 1_000)
    expect(on.broker.beats).toContainEqual(expect.objectContaining({ memberId, epoch: -2 }))
  })
})
