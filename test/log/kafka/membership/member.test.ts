import { describe, expect, it } from 'vitest'
import { fakeClassicBroker } from './fake-classic-group.ts'
import { HEARTBEAT, membersOf, REBALANCE, runs, SESSION, stampOf, TASKS } from './members.ts'
import { classic } from './protocols.ts'

const on = membersOf(classic)

describe('joining', () => {
  it('gets a member id from the broker first', async () => {
    const one = await on.settled()
    expect(stampOf(one).memberId).toBe('m1')
    expect(on.broker.requests.slice(0, 3)).toEqual(['JoinGroup', 'JoinGroup', 'SyncGroup'])
  })

  it('takes a new one when the broker has forgotten it', async () => {
    on.broker.fail('SyncGroup', 25)
    const one = await on.settled()
    expect(stampOf(one).memberId).toBe('m2')
  })

  it('uses JoinGroup v9 where the broker has it, and v7 otherwise', async () => {
    await on.settled()
    expect([...on.broker.joinVersions]).toEqual([9])
    on.broker = fakeClassicBroker(on.clock, { joinGroupVersion: 8 })
    await on.settled()
    expect([...on.broker.joinVersions]).toEqual([7])
  })
})

describe('rounds', () => {
  it('begin only when a commit under way has ended', async () => {
    const a = await on.settled()
    const committed = Promise.withResolvers<void>()
    a.seen.hooks.rebalancing = () => committed.promise
    const b = on.member()
    await on.broker.pass(SESSION * 2)
    expect(on.broker.state.generation).toBe(1)
    expect(b.seen.calls).toEqual([])
    committed.resolve()
    await on.broker.until('shared', () => [a, b].every(runs(2)))
  })

  it('are two where tasks move, and the second comes at once', async () => {
    const a = await on.settled()
    const b = on.member()
    await on.broker.until('revoked', () => runs(2)(a))
    await on.broker.until('shared', () => runs(2)(b), 200)
    expect(on.broker.state.generation).toBe(3)
    await on.broker.pass(SESSION)
    expect(on.broker.state.generation).toBe(3)
    expect(a.seen.calls).toEqual([
      'assigned 0_0 0_1 0_2 0_3',
      'revoked 0_2 0_3',
      'assigned 0_0 0_1',
      'assigned 0_0 0_1',
    ])
    expect(b.seen.calls).toEqual(['assigned', 'assigned 0_2 0_3'])
  })

  it('are gone through again when a member asks the group to reconsider, and nothing moves', async () => {
    const [a, b] = await on.shared()
    const [before, tasksOfA] = [stampOf(b).epoch, a.seen.state.tasks]
    b.group.reconsider()
    const isNext = () => [a, b].every((one) => stampOf(one).epoch === before + 1)
    await on.broker.until('both are in the next generation', isNext)
    expect(a.seen.state.tasks).toEqual(tasksOfA)
    await on.broker.pass(SESSION)
    expect(on.broker.state.generation).toBe(before + 1)
  })

  it('move no more tasks than they must', async () => {
    const [a, b] = await on.shared()
    const before = [a, b].map((one) => one.seen.state.tasks)
    const c = on.member()
    await on.broker.until('three share', () => runs(1)(c) && [a, b].some(runs(1)))
    for (const [i, one] of [a, b].entries()) {
      expect(one.seen.state.tasks.filter((task) => !before[i].includes(task))).toEqual([])
    }
  })

  it('give a member only the tasks of its own topology', async () => {
    const a = await on.settled()
    const b = on.member({ tasks: [...TASKS, '1_0', '1_1'] })
    await on.broker.until('shared', () => [a, b].every(runs(3)))
    expect(b.seen.state.tasks).toEqual(expect.arrayContaining(['1_0', '1_1']))
  })

  it('wait for what is given up until another one is due, and then until the rebalance timeout', async () => {
    const a = await on.settled()
    const stopped = Promise.withResolvers<void>()
    a.seen.hooks.revoked = () => stopped.promise
    const b = on.member()
    await on.broker.pass(2 * REBALANCE)
    expect(b.seen.calls).toEqual(['assigned'])
    const { memberId } = stampOf(a)
    const c = on.member()
    await on.broker.until('the others have all', () => [b, c].every(runs(2)), REBALANCE + SESSION)
    await on.broker.pass(HEARTBEAT)
    expect(a.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3', 'revoked 0_2 0_3'])
    stopped.resolve()
    await on.broker.until('three share', () => [a, b, c].every((one) => !runs(0)(one)))
    expect(a.seen.calls.slice(2, 3)).toEqual(['lost 0_0 0_1'])
    expect(stampOf(a).memberId).not.toBe(memberId)
  })

  it('make the stamps of those before them worthless', async () => {
    const a = await on.settled()
    const old = stampOf(a)
    const b = on.member()
    await on.broker.until('shared', () => [a, b].every(runs(2)))
    const commit = a.group.commit([{ topic: 't', partition: 0, offset: 1 }], old)
    await expect(on.inTime(commit)).rejects.toMatchObject({ code: 'FENCED', context: { topic: 't', partition: 0 } })
  })
})

describe('static members', () => {
  const shared = () => on.shared({ instanceId: 'a' }, { instanceId: 'b' })

  it('say nothing when they go, and come back in the same generation, which the others do not notice', async () => {
    const [a, b] = await shared()
    const { generation } = on.broker.state
    const calls = () => a.seen.calls.length + b.seen.calls.length
    const before = calls()
    for (const [instanceId, old] of [
      ['a', a],
      ['b', b],
    ] as const) {
      await old.group.leave()
      const again = on.member({ instanceId })
      await on.broker.until('back', () => runs(2)(again), 100)
    }
    expect(on.countOf('LeaveGroup')).toBe(0)
    expect(on.broker.state.generation).toBe(generation)
    expect(calls()).toBe(before)
  })

  it.each([
    ['leader', 'a'],
    ['follower', 'b'],
  ] as const)('with a changed topology make the group decide anew (%s)', async (_, instanceId) => {
    const [a, b] = await shared()
    const old = instanceId === 'a' ? a : b
    await old.group.leave()
    const more = on.member({ instanceId, tasks: [...TASKS, '1_0', '1_1'] })
    await on.broker.until('new tasks run', () => more.seen.state.tasks.includes('1_1'))
    expect(more.seen.calls).toHaveLength(1)
  })

  it('with the old topology come back in one round', async () => {
    const a = await on.settled({ instanceId: 'a' })
    await a.group.leave()
    const joins = on.countOf('JoinGroup')
    await on.settled({ instanceId: 'a' })
    expect(on.countOf('JoinGroup')).toBe(joins + 1)
  })
})
