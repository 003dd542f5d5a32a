import { describe, expect, it } from 'vitest'
import {
  clock,
  cluster,
  code,
  countOf,
  HEARTBEAT,
  member,
  runs,
  SESSION,
  settled,
  stampOf,
  started,
  tasks,
  useOlderBroker,
} from './members.ts'
import { unavailable } from './recorder.ts'

describe('joining', () => {
  it('gets a member id, then all tasks', async () => {
    const one = await settled()
    expect(one.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3'])
    expect(stampOf(one)).toEqual({ group: 'shop', memberId: 'm1', epoch: 1 })
    expect(cluster.requests.slice(0, 3)).toEqual(['JoinGroup', 'JoinGroup', 'SyncGroup'])
  })

  it('uses JoinGroup v9 where the broker has it, and v7 otherwise', async () => {
    await settled()
    expect([...cluster.joinVersions]).toEqual([9])
    useOlderBroker(8)
    await settled()
    expect([...cluster.joinVersions]).toEqual([7])
  })

  it('resolves before the tasks are given', async () => {
    const { group, seen } = member()
    let calls = -1
    void group.join().then(() => {
      calls = seen.calls.length
    })
    await cluster.until('joined', () => calls >= 0)
    expect(calls).toBeLessThanOrEqual(1)
  })

  it('waits for an unreachable broker, ever longer', async () => {
    cluster.goDown()
    const one = member()
    await cluster.pass(30_000)
    expect(one.seen.calls).toEqual([])
    cluster.comeUp()
    await cluster.until('tasks run', () => runs(4)(one), 2_100)
  })

  it.each(['JoinGroup', 'SyncGroup'])(
    'repeats a %s that breaks, and one refused for the time being',
    async (apiName) => {
      cluster.fail(apiName, 'drop', 2)
      for (const error of [14, 15, 16, 27]) cluster.fail(apiName, error)
      const one = await settled()
      expect(one.seen.calls).toHaveLength(1)
    },
  )

  it('looks the coordinator up again after NOT_COORDINATOR, not after COORDINATOR_LOAD_IN_PROGRESS', async () => {
    cluster.fail('JoinGroup', 14)
    const one = await settled()
    expect(cluster.state.lookups).toBe(1)
    cluster.fail('Heartbeat', 16)
    await cluster.pass(2 * HEARTBEAT)
    expect(cluster.state.lookups).toBe(2)
    expect(one.seen.calls).toHaveLength(1)
  })

  it('takes a new member id when the broker has forgotten the old one', async () => {
    cluster.fail('SyncGroup', 25)
    const one = await settled()
    expect(stampOf(one).memberId).toBe('m2')
  })

  it.each([
    [23, 'INVALID_OPTION', /consumers of another kind/],
    [26, 'INVALID_OPTION', /session\.timeout/],
    [30, 'NOT_AUTHORIZED', /kafka-acls/],
    [81, 'INVALID_OPTION', /group\.max\.size/],
    [-1, 'INTERNAL', /UNKNOWN_SERVER_ERROR/],
  ])('rejects when the broker refuses for good (%i)', async (error, expected, message) => {
    cluster.fail('JoinGroup', error)
    const one = member()
    await cluster.until('rejected', () => one.joining.error !== undefined)
    expect(code(one.joining.error)).toBe(expected)
    expect(String(one.joining.error)).toMatch(message)
    expect(one.seen.calls).toEqual([])
    expect(one.seen.errors).toEqual([])
  })
})

describe('rebalancing', () => {
  it('shares the tasks with a second member, and takes them back when it leaves', async () => {
    const a = await settled()
    const b = member()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    expect([...a.seen.state.tasks, ...b.seen.state.tasks].sort()).toEqual(tasks)
    expect(stampOf(a).epoch).toBe(stampOf(b).epoch)
    await b.group.leave()
    await cluster.until('taken back', () => runs(4)(a), HEARTBEAT + 100)
    expect(a.seen.calls).toEqual([
      'assigned 0_0 0_1 0_2 0_3',
      'revoked 0_2 0_3',
      'assigned 0_0 0_1',
      'assigned 0_0 0_1',
      'assigned 0_0 0_1 0_2 0_3',
    ])
    expect(b.seen.calls).toEqual(['assigned', 'assigned 0_2 0_3'])
  })

  it('is gone through again when a member asks the group to reconsider, and nothing moves', async () => {
    const a = await settled()
    const b = member()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    const [before, tasksOfA] = [stampOf(b).epoch, a.seen.state.tasks]
    b.group.reconsider()
    await cluster.until('both are in the next generation', () =>
      [a, b].every((one) => stampOf(one).epoch === before + 1),
    )
    expect(a.seen.state.tasks).toEqual(tasksOfA)
    await cluster.pass(SESSION)
    expect(cluster.state.generation).toBe(before + 1)
  })

  it('is over after two rounds, and the second comes at once', async () => {
    const a = await settled()
    const b = member()
    await cluster.until('revoked', () => runs(2)(a))
    await cluster.until('shared', () => runs(2)(b), 200)
    expect(cluster.state.generation).toBe(3)
    await cluster.pass(SESSION)
    expect(cluster.state.generation).toBe(3)
  })

  it('does not wait for a heartbeat of the others while tasks move', async () => {
    const a = await settled()
    const b = member()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    const c = member()
    await cluster.until('somebody has lost a task', () => runs(1)(a) || runs(1)(b))
    await cluster.until('c has it', () => runs(1)(c), 200)
  })

  it('begins soon with one who comes just after another, although heartbeats are rare', async () => {
    const rare = { heartbeatIntervalMs: 2_000 }
    const first = await settled(rare)
    for (const after of [0, 20, 100, 1_000, 5_000]) {
      await cluster.pass(after)
      const next = member(rare)
      await cluster.until('it has its share', () => !runs(0)(next), 300 + 2 * 100)
      await next.group.leave()
      await cluster.until('all tasks run', () => runs(4)(first))
    }
  })

  it('asks the broker no more often than told once the generation is ten seconds old', async () => {
    await settled({ heartbeatIntervalMs: 2_000 })
    await cluster.pass(11_000)
    const before = countOf('Heartbeat')
    await cluster.pass(20_000)
    expect(countOf('Heartbeat') - before).toBe(10)
  })

  it('moves no more tasks than it must', async () => {
    const a = await settled()
    const b = member()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    const before = [a, b].map((one) => one.seen.state.tasks)
    const c = member()
    await cluster.until('three share', () => runs(1)(c) && [a, b].some(runs(1)))
    for (const [i, one] of [a, b].entries()) {
      expect(one.seen.state.tasks.filter((task) => !before[i].includes(task))).toEqual([])
    }
  })

  it('leaves the tasks that stay alone while others are being revoked, and stays alive meanwhile', async () => {
    const a = await settled()
    const stopped = Promise.withResolvers<void>()
    a.seen.hooks.revoked = () => stopped.promise
    const b = member()
    await cluster.pass(SESSION * 2)
    expect(a.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3', 'revoked 0_2 0_3'])
    expect(b.seen.calls).toEqual(['assigned'])
    expect(cluster.members.size).toBe(2)
    stopped.resolve()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
  })

  it('joins again only when a commit under way has ended, and says so before', async () => {
    const a = await settled()
    const committed = Promise.withResolvers<void>()
    a.seen.hooks.rebalancing = () => committed.promise
    const b = member()
    await cluster.pass(SESSION * 2)
    expect(cluster.state.generation).toBe(1)
    expect(b.seen.calls).toEqual([])
    await a.group.commit([{ topic: 't', partition: 0, offset: 5 }], stampOf(a))
    committed.resolve()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    expect(cluster.offsets.get('t/0')).toMatchObject({ offset: 5 })
  })

  it('may commit what it loses, with the stamp it is told', async () => {
    const a = await settled()
    const results: unknown[] = []
    a.seen.hooks.revoked = () =>
      a.group.commit([{ topic: 't', partition: 2, offset: 5 }], a.seen.state.revokedWith!).then(
        () => void results.push('committed'),
        (error) => void results.push(error),
      )
    const b = member()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    expect(results).toEqual(['committed'])
  })

  it('never runs a task twice, however members come, go and are forgotten', async () => {
    const all = [await settled()]
    const held = () => started.flatMap(({ seen }) => seen.state.tasks)
    const watch = () => {
      const tasksOfNow = held()
      expect(new Set(tasksOfNow).size).toBe(tasksOfNow.length)
      return false
    }
    for (let round = 0; round < 12; round++) {
      if (all.length < 4 && round % 3 !== 2) all.push(member())
      else {
        const gone = all.splice(round % all.length, 1)[0]
        await gone.group.leave()
        gone.seen.state.tasks = []
      }
      // Longer than a heartbeat or shorter: sometimes one comes into the rebalance of another.
      const end = clock.now() + [70, 430, 900][round % 3]
      await cluster.until('time passes', () => watch() || clock.now() >= end)
    }
    await cluster.until('all run', () => watch() || held().length === tasks.length)
  })

  it('goes on as a new member when revoking took too long', async () => {
    const a = await settled()
    const b = member()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    const stopped = Promise.withResolvers<void>()
    const slow = [a, b].find(({ group }) => group === a.group)!
    slow.seen.hooks.revoked = () => stopped.promise
    slow.seen.hooks.rebalancing = () => stopped.promise
    const old = stampOf(slow).memberId
    const c = member()
    await cluster.until('the others have all', () => b.seen.state.tasks.length + c.seen.state.tasks.length === 4)
    stopped.resolve()
    await cluster.until('shared', () => [a, b, c].every(({ seen }) => seen.state.tasks.length > 0), 120_000)
    expect(slow.seen.calls.filter((call) => call.startsWith('lost'))).toEqual(['lost 0_0 0_1'])
    expect(stampOf(slow).memberId).not.toBe(old)
  })

  it('counts all tasks as lost when a revocation fails', async () => {
    const a = await settled()
    a.seen.hooks.revoked = () => {
      throw new Error('no')
    }
    const b = member()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    expect(a.seen.calls.slice(0, 4)).toEqual([
      'assigned 0_0 0_1 0_2 0_3',
      'revoked 0_2 0_3',
      'lost 0_0 0_1 0_2 0_3',
      'assigned 0_0 0_1',
    ])
  })

  it('finishes onAssigned before it joins again', async () => {
    const a = await settled()
    const b = member()
    const slow = Promise.withResolvers<void>()
    b.seen.hooks.assigned = () => slow.promise
    await cluster.until('b starts', () => b.seen.calls.length === 1)
    const c = member()
    await cluster.pass(SESSION * 2)
    expect(b.seen.calls).toHaveLength(1)
    slow.resolve()
    await cluster.until('three share', () => [a, b, c].every(({ seen }) => seen.state.tasks.length > 0))
  })

  it('gives a member only the tasks of its own topology', async () => {
    const a = await settled()
    const b = member({ tasks: [...tasks, '1_0', '1_1'] })
    await cluster.until('shared', () => runs(3)(a) && runs(3)(b))
    expect(b.seen.state.tasks).toEqual(expect.arrayContaining(['1_0', '1_1']))
  })
})

describe('starting the tasks', () => {
  it('tries again after an error that may pass, having dropped the tasks', async () => {
    const one = member()
    let failures = 2
    one.seen.hooks.assigned = () => {
      if (failures-- > 0) throw unavailable()
    }
    await cluster.until('tasks run', () => runs(4)(one))
    expect(one.seen.calls.map((call) => call.split(' ')[0])).toEqual([
      'assigned',
      'lost',
      'assigned',
      'lost',
      'assigned',
    ])
    expect(cluster.state.generation).toBe(1)
  })

  it('gives up after any other error, and leaves the tasks to others', async () => {
    const a = await settled()
    const b = member()
    b.seen.hooks.assigned = (given) => {
      if (given.length > 0) throw new Error('broken')
    }
    await cluster.until('told', () => b.seen.errors.length === 1)
    expect(b.seen.errors[0].message).toBe('broken')
    await cluster.until('taken back', () => runs(4)(a))
    expect(b.seen.calls.map((call) => call.split(' ')[0])).toEqual(['assigned', 'assigned', 'lost'])
  })
})
