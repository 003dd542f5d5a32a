import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MillraceError } from '../../../../src/errors.ts'
import { type KafkaGroup, kafkaGroup } from '../../../../src/log/kafka/membership/group.ts'
import type { CommittedOffset, GroupOptions } from '../../../../src/log/log.ts'
import { type ManualClock, manualClock } from '../../../../src/time.ts'
import { fakeCluster } from './fake-cluster.ts'
import { type Recorder, recorder, unavailable } from './recorder.ts'

const SESSION = 6_000
const REBALANCE = 20_000
const HEARTBEAT = 500
const tasks = ['0_0', '0_1', '0_2', '0_3']

let clock: ManualClock
let cluster: ReturnType<typeof fakeCluster>
let started: { group: KafkaGroup; seen: Recorder }[]

beforeEach(() => {
  clock = manualClock()
  cluster = fakeCluster(clock)
  started = []
})
afterEach(async () => {
  await Promise.all(started.map(({ group }) => group.leave()))
  for (const { seen } of started) expect(seen.state.overlaps).toBe(0)
})

function member(options: Partial<GroupOptions> = {}) {
  const seen = recorder()
  const group = kafkaGroup(
    cluster.connect,
    {
      group: 'shop',
      topics: ['t'],
      tasks,
      sessionTimeoutMs: SESSION,
      rebalanceTimeoutMs: REBALANCE,
      heartbeatIntervalMs: HEARTBEAT,
      ...seen.callbacks,
      ...options,
    },
    { clock, random: () => 0.5 },
  )
  const joining = { error: undefined as unknown }
  void group.join().catch((error) => {
    joining.error = error
  })
  const one = { group, seen, joining }
  started.push(one)
  return one
}

const runs = (count: number) => (one: { seen: Recorder }) => one.seen.state.tasks.length === count
const countOf = (apiName: string) => cluster.requests.filter((name) => name === apiName).length
const stampOf = (one: { seen: Recorder }) => one.seen.state.stamp!
const code = (error: unknown) => (error instanceof MillraceError ? error.code : error)

/** A member that runs everything. */
async function settled(options: Partial<GroupOptions> = {}) {
  const one = member(options)
  await cluster.until('all tasks run', () => runs((options.tasks ?? tasks).length)(one))
  return one
}

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
    cluster = fakeCluster(clock, { joinGroupVersion: 8 })
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

describe('offsets', () => {
  const at = (partition: number) => ({ topic: 't', partition })
  /** Lets time pass until the promise is settled. */
  async function inTime<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    promise.then(settle, settle)
    await cluster.until('settled', () => isSettled, limitMs)
    return promise
  }

  it('come back with their metadata; partitions without one are left out', async () => {
    const a = await settled()
    const offsets: CommittedOffset[] = [
      { ...at(0), offset: 2 ** 40, metadata: '{"é":1}' },
      { topic: 'u', partition: 3, offset: 0 },
    ]
    await inTime(a.group.commit(offsets, stampOf(a)))
    cluster.offsets.set('t/1', { offset: -2, metadata: '' })
    expect(await inTime(a.group.committed([at(0), at(1), at(2), { topic: 'u', partition: 3 }]))).toEqual(offsets)
    expect(await a.group.committed([])).toEqual([])
    await a.group.commit([], stampOf(a))
  })

  it('wait for transactions that are being decided', async () => {
    const a = await settled()
    cluster.offsets.set('t/0', { offset: 5, metadata: '' })
    cluster.undecided.add('t/0')
    const reading = a.group.committed([at(0)])
    await cluster.pass(20_000)
    cluster.offsets.set('t/0', { offset: 9, metadata: '' })
    cluster.undecided.clear()
    expect(await inTime(reading, 600)).toEqual([{ ...at(0), offset: 9 }])
  })

  it('say in the end which partition is undecided', async () => {
    const a = await settled()
    cluster.undecided.add('t/0')
    await expect(inTime(a.group.committed([at(0)]))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retriable: true,
      context: at(0),
    })
  })

  it('can be read by one who is not a member', async () => {
    cluster.offsets.set('t/0', { offset: 5, metadata: 'm' })
    const group = kafkaGroup(
      cluster.connect,
      { group: 'shop', topics: [], tasks: [], ...recorder().callbacks },
      { clock, random: () => 0 },
    )
    expect(await inTime(group.committed([at(0)]))).toEqual([{ ...at(0), offset: 5, metadata: 'm' }])
    await group.leave()
    await expect(group.committed([at(0)])).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('are refused with an old stamp', async () => {
    const a = await settled()
    const old = stampOf(a)
    const b = member()
    await cluster.until('shared', () => runs(2)(a) && runs(2)(b))
    const offsets = [{ ...at(0), offset: 1 }]
    await expect(inTime(a.group.commit(offsets, old))).rejects.toMatchObject({ code: 'FENCED', context: at(0) })
    await expect(inTime(a.group.commit(offsets, { ...old, memberId: 'm9' }))).rejects.toMatchObject({ code: 'FENCED' })
    await inTime(a.group.commit(offsets, stampOf(a)))
  })

  it('are tried again while the coordinator moves, loads, rebalances or is away for a moment', async () => {
    const a = await settled()
    for (const fault of [14, 16, 27, 'drop'] as const) {
      cluster.fail('OffsetCommit', fault)
      if (fault !== 27) cluster.fail('OffsetFetch', fault)
    }
    await inTime(a.group.commit([{ ...at(0), offset: 1 }], stampOf(a)))
    expect(await inTime(a.group.committed([at(0)]))).toEqual([{ ...at(0), offset: 1 }])
  })

  it('say after a while that the coordinator is away', async () => {
    const a = await settled()
    cluster.goDown()
    const commit = a.group.commit([{ ...at(0), offset: 1 }], stampOf(a))
    await expect(inTime(commit, 7_000)).rejects.toMatchObject({ code: 'UNAVAILABLE', retriable: true })
  })

  it('are refused for good where that is what the broker says', async () => {
    const a = await settled()
    cluster.fail('OffsetCommit', 12)
    const commit = a.group.commit([{ ...at(0), offset: 1, metadata: 'x'.repeat(5000) }], stampOf(a))
    await expect(inTime(commit)).rejects.toMatchObject({ code: 'INVALID_OPTION', context: at(0) })
    cluster.fail('OffsetFetch', 30)
    await expect(inTime(a.group.committed([at(0)]))).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })
  })
})
