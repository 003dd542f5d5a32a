import { describe, expect, it } from 'vitest'
import { clock, cluster, code, countOf, HEARTBEAT, member, runs, SESSION, settled, stampOf, tasks } from './members.ts'

describe('losing membership', () => {
  it('drops the tasks and rejoins as a new member after UNKNOWN_MEMBER_ID', async () => {
    const a = await settled()
    cluster.remove('m1')
    await cluster.until('back', () => a.seen.calls.length === 3)
    expect(a.seen.calls[1]).toBe('lost 0_0 0_1 0_2 0_3')
    expect(stampOf(a).memberId).toBe('m2')
  })

  it('rejoins as the same member after ILLEGAL_GENERATION, which the others would otherwise wait for', async () => {
    const a = await settled()
    cluster.fail('Heartbeat', 22)
    await cluster.until('back', () => a.seen.calls.length === 3)
    expect(a.seen.calls[1]).toBe('lost 0_0 0_1 0_2 0_3')
    expect(stampOf(a).memberId).toBe('m1')
  })

  it('keeps the tasks through an outage that is shorter than the session', async () => {
    const a = await settled()
    cluster.goDown()
    await cluster.pass(SESSION - 2 * HEARTBEAT)
    cluster.comeUp()
    await cluster.pass(SESSION)
    expect(a.seen.calls).toHaveLength(1)
  })

  it('drops the tasks when the session has ended for certain, and comes back', async () => {
    const a = await settled()
    cluster.goDown()
    await cluster.until('dropped', () => a.seen.calls.length === 2, SESSION + HEARTBEAT)
    expect(a.seen.calls[1]).toBe('lost 0_0 0_1 0_2 0_3')
    expect(clock.now()).toBeGreaterThan(SESSION - HEARTBEAT)
    cluster.comeUp()
    await cluster.until('back', () => runs(4)(a), 4_000)
  })

  it('does so, too, when the broker accepts heartbeats but answers none', async () => {
    const a = await settled()
    cluster.fail('Heartbeat', 'hang', 1000)
    await cluster.until('dropped', () => a.seen.calls.length >= 2, SESSION + HEARTBEAT)
    expect(a.seen.calls[1]).toBe('lost 0_0 0_1 0_2 0_3')
  })

  it('survives heartbeats that are refused for the time being', async () => {
    const a = await settled()
    for (const fault of [14, 15, 16, 'drop', 'hang'] as const) cluster.fail('Heartbeat', fault)
    await cluster.pass(2 * SESSION)
    expect(a.seen.calls).toHaveLength(1)
  })

  it('ends membership, tells the runtime and the group when a heartbeat is refused for good', async () => {
    const a = await settled()
    cluster.fail('Heartbeat', 30)
    await cluster.until('told', () => a.seen.errors.length === 1)
    expect(a.seen.calls[1]).toBe('lost 0_0 0_1 0_2 0_3')
    expect(code(a.seen.errors[0])).toBe('NOT_AUTHORIZED')
    expect(cluster.members.size).toBe(0)
    await cluster.pass(SESSION)
    expect(a.seen.calls).toHaveLength(2)
  })

  it('takes over the tasks of a member that is silent', async () => {
    const a = await settled()
    const b = member()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    // b's process stops: nothing of it is heard any more.
    cluster.members.get(stampOf(b).memberId)!.aliveAt = clock.now() - SESSION
    await cluster.until('taken over', () => runs(4)(a))
  })
})

describe('static members', () => {
  it('do not leave, and come back to their tasks in the same generation', async () => {
    const a = await settled({ instanceId: 'a' })
    const b = member({ instanceId: 'b' })
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    const { generation } = cluster.state
    const calls = () => a.seen.calls.length + b.seen.calls.length
    const before = calls()
    for (const id of ['a', 'b'] as const) {
      const old = id === 'a' ? a : b
      const had = old.seen.state.tasks
      await old.group.leave()
      expect(countOf('LeaveGroup')).toBe(0)
      const again = member({ instanceId: id })
      await cluster.until('back', () => runs(2)(again), 100)
      expect(again.seen.state.tasks).toEqual(had)
      expect(stampOf(again).memberId).not.toBe(stampOf(old).memberId)
    }
    expect(cluster.state.generation).toBe(generation)
    expect(calls()).toBe(before)
  })

  it('leave when asked to', async () => {
    const a = await settled({ instanceId: 'a' })
    await a.group.leave({ permanently: true })
    expect(cluster.members.size).toBe(0)
  })

  it('are fenced by a newer process of the same instance', async () => {
    const old = await settled({ instanceId: 'a' })
    const fresh = await settled({ instanceId: 'a' })
    await cluster.until('fenced', () => old.seen.errors.length === 1)
    expect(code(old.seen.errors[0])).toBe('FENCED')
    expect(String(old.seen.errors[0])).toMatch(/instance "a"/)
    expect(old.seen.calls.at(-1)).toBe('lost 0_0 0_1 0_2 0_3')
    await cluster.pass(SESSION)
    expect(fresh.seen.calls).toHaveLength(1)
  })

  it.each(['leader', 'follower'])('with a changed topology make the group decide anew (%s)', async (role) => {
    const a = await settled({ instanceId: 'a' })
    const b = member({ instanceId: 'b' })
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    const [instanceId, old] = role === 'leader' ? (['a', a] as const) : (['b', b] as const)
    await old.group.leave()
    const more = member({ instanceId, tasks: [...tasks, '1_0', '1_1'] })
    await cluster.until('new tasks run', () => more.seen.state.tasks.includes('1_1'))
    expect(more.seen.calls).toHaveLength(1)
  })

  it('with the old topology come back in one round', async () => {
    const a = await settled({ instanceId: 'a' })
    await a.group.leave()
    const joins = countOf('JoinGroup')
    await settled({ instanceId: 'a' })
    expect(countOf('JoinGroup')).toBe(joins + 1)
  })
})

describe('leaving', () => {
  it('sends no heartbeat and calls nothing any more', async () => {
    const a = await settled()
    await a.group.leave()
    const { length } = cluster.requests
    await cluster.pass(SESSION * 2)
    expect(cluster.requests).toHaveLength(length)
    expect(a.seen.calls).toHaveLength(1)
    expect(cluster.members.size).toBe(0)
  })

  it('works from within a callback, and while the broker is away', async () => {
    const a = await settled()
    let hasLeft = false
    a.seen.hooks.revoked = async () => {
      cluster.goDown()
      await a.group.leave()
      hasLeft = true
    }
    member()
    await cluster.until('left', () => hasLeft)
  })

  it('ends a join that waits', async () => {
    cluster.goDown()
    const a = member()
    await cluster.pass(100)
    await a.group.leave()
    await cluster.until('rejected', () => a.joining.error !== undefined)
    expect(code(a.joining.error)).toBe('CLOSED')
    await expect(a.group.join()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('takes a member out whose JoinGroup waits for the others', async () => {
    const a = await settled()
    const stopped = Promise.withResolvers<void>()
    a.seen.hooks.revoked = () => stopped.promise
    const b = member()
    await cluster.until('b waits', () => cluster.members.size === 2)
    await b.group.leave()
    expect([...cluster.members.keys()]).toEqual(['m1'])
    stopped.resolve()
    await cluster.until('a is alone', () => runs(4)(a))
  })

  it('waits only so long for a broker that does not answer', async () => {
    const a = await settled()
    cluster.fail('LeaveGroup', 'hang')
    let hasLeft = false
    void a.group.leave().then(() => {
      hasLeft = true
    })
    await cluster.until('left', () => hasLeft, 3_100)
  })
})
