import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MillraceError } from '../../../../../src/errors.ts'
import { type KafkaGroup, kafkaGroup } from '../../../../../src/log/kafka/membership/group.ts'
import type { GroupOptions, TaskProgress } from '../../../../../src/log/log.ts'
import { type ManualClock, manualClock } from '../../../../../src/time.ts'
import { type Recorder, recorder, unavailable } from '../recorder.ts'
import { fakeStreamsBroker } from './fake-streams-broker.ts'

const SESSION = 6_000
const HEARTBEAT = 2_000
const ALL = ['0_0', '0_1', '0_2', '0_3']

let clock: ManualClock
let broker: ReturnType<typeof fakeStreamsBroker>
let started: { group: KafkaGroup; seen: Recorder }[]

beforeEach(() => {
  clock = manualClock(1_000_000)
  broker = fakeStreamsBroker(clock)
  started = []
})
afterEach(async () => {
  await Promise.all(
    started.map(async ({ group }) => {
      let hasLeft = false
      void group.leave().then(() => {
        hasLeft = true
      })
      await broker.until('left', () => hasLeft)
    }),
  )
  for (const { seen } of started) expect(seen.state.overlaps).toBe(0)
})

function member(options: Partial<GroupOptions> = {}) {
  const seen = recorder()
  const warnings: string[] = []
  const group = kafkaGroup(
    broker.connect,
    {
      group: 'shop',
      topics: ['t'],
      tasks: ALL,
      sessionTimeoutMs: SESSION,
      rebalanceTimeoutMs: 20_000,
      heartbeatIntervalMs: HEARTBEAT,
      onWarning: (message) => warnings.push(message),
      ...seen.callbacks,
      ...options,
    },
    { protocol: 'streams', rack: 'r1', clock, random: () => 0.5 },
  )
  const joining = { error: undefined as unknown }
  void group.join().catch((error) => {
    joining.error = error
  })
  const one = { group, seen, joining, warnings }
  started.push(one)
  return one
}

type Started = ReturnType<typeof member>
const runs = (count: number) => (one: Started) => one.seen.state.tasks.length === count
const stampOf = (one: Started) => one.seen.state.stamp!
const code = (error: unknown) => (error instanceof MillraceError ? error.code : error)
const failure = (one: Started) => (one.joining.error ?? one.seen.errors[0]) as MillraceError | undefined
const beatsOf = (one: Started) => broker.beats.filter(({ memberId }) => memberId === stampOf(one).memberId)

/** A member that runs everything. */
async function settled(options: Partial<GroupOptions> = {}) {
  const one = member(options)
  await broker.until('all tasks run', () => runs(4)(one))
  return one
}

async function shared() {
  const a = await settled()
  const b = member()
  await broker.until('shared', () => runs(2)(a) && runs(2)(b))
  return [a, b] as const
}

async function failed(one: Started, limitMs?: number) {
  await broker.until('failed', () => failure(one) !== undefined, limitMs)
  return failure(one)!
}

describe('joining', () => {
  it('says who it is and what it runs, and gets its tasks', async () => {
    const one = await settled({ processId: 'p-1' })
    const [join, ...later] = beatsOf(one)
    expect(join).toMatchObject({
      epoch: 0,
      rack: 'r1',
      rebalanceTimeoutMs: 20_000,
      processId: 'p-1',
      active: [],
      topology: [{ id: '0', sources: ['t'] }],
    })
    expect(one.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3'])
    expect(stampOf(one).epoch).toBe(1)
    await broker.pass(HEARTBEAT * 2)
    for (const { topology, rebalanceTimeoutMs } of [...later, ...beatsOf(one).slice(1)]) {
      expect(topology).toBe(undefined)
      expect(rebalanceTimeoutMs).toBe(-1)
    }
  })

  it('waits for an unreachable broker, and for a coordinator that moves, loads or is away', async () => {
    broker.goDown()
    const one = member()
    await broker.pass(30_000)
    expect(one.seen.calls).toEqual([])
    for (const fault of [14, 15, 16, 'drop', 'lose the answer', 'hang'] as const)
      broker.fail('StreamsGroupHeartbeat', fault)
    broker.comeUp()
    await broker.until('tasks run', () => runs(4)(one))
    expect(one.seen.calls).toHaveLength(1)
  })

  it.each([
    [30, 'x', 'NOT_AUTHORIZED', /kafka-acls/],
    [35, 'x', 'UNSUPPORTED_BROKER', /Kafka 4\.2/],
    [42, 'Topology updates are not supported yet.', 'INVALID_TOPOLOGY', /protocol: 'classic'/],
    [42, 'something else', 'INTERNAL', /something else/],
    [69, 'Group shop is not a streams group.', 'INVALID_OPTION', /another protocol/],
    [81, 'x', 'INVALID_OPTION', /group\.streams\.max\.size/],
    [130, 'x', 'INVALID_TOPOLOGY', /topology/],
    [-1, 'x', 'INTERNAL', /UNKNOWN_SERVER_ERROR/],
  ])('rejects when the broker refuses for good (%i %s)', async (fault, message, expected, text) => {
    broker.fail('StreamsGroupHeartbeat', fault, { message })
    const one = member()
    const error = await failed(one)
    expect(code(error)).toBe(expected)
    expect(String(error)).toMatch(text)
    expect(one.seen.calls).toEqual([])
    expect(one.seen.errors).toEqual([])
  })

  it.each([
    ['does not know the protocol', () => broker.speaks.clear()],
    ['has not switched it on', () => broker.features.set('streams.version', 0)],
    ['has not heard of the feature', () => broker.features.clear()],
  ])('is refused where the cluster %s, and does nothing else instead', async (_, arrange) => {
    arrange()
    const error = await failed(member())
    expect(code(error)).toBe('UNSUPPORTED_BROKER')
    expect(error.hint).toMatch(/4\.2.*group\.coordinator\.rebalance\.protocols.*streams\.version=1/s)
    expect(broker.requests).not.toContain('JoinGroup')
    expect(broker.beats).toEqual([])
  })

  it('speaks the older version, which has no static members', async () => {
    broker.speaks.set(88, { min: 0, max: 0 })
    await settled()
    const error = await failed(member({ instanceId: 'a' }))
    expect(code(error)).toBe('UNSUPPORTED_BROKER')
    expect(error.hint).toMatch(/4\.4/)
  })
})

describe('the configuration of the group', () => {
  const altered = () => broker.requests.includes('IncrementalAlterConfigs')

  it('is made to say what the options say, and left alone where it does', async () => {
    await settled({ standbys: 1, maxWarmups: 3 })
    expect(Object.fromEntries(broker.config)).toEqual({
      'streams.session.timeout.ms': '6000',
      'streams.heartbeat.interval.ms': '5000',
      'streams.num.standby.replicas': '1',
    })
    broker.requests.length = 0
    const other = member({ standbys: 1 })
    await broker.until('in', () => other.seen.calls.length > 0)
    expect(altered()).toBe(false)
  })

  it('leaves room in a short session for the heartbeats that the broker advises', async () => {
    await settled({ sessionTimeoutMs: 3_000 })
    expect(broker.config.get('streams.heartbeat.interval.ms')).toBe('1000')
  })

  it.each([30, 31])('is as it is for one who has no right to change it (%i), and is told', async (error) => {
    broker.state.configError = error
    const one = await settled()
    expect(one.warnings).toEqual([expect.stringMatching(/no right to set .*streams\.session\.timeout\.ms=6000/)])
  })

  it('is refused by a broker that allows no such session', async () => {
    broker.state.configError = 40
    const error = await failed(member())
    expect(code(error)).toBe('INVALID_OPTION')
    expect(error.hint).toMatch(/group\.streams\.min\.session\.timeout\.ms/)
  })
})

describe('rebalancing', () => {
  it('gives up what the broker takes, and only then has another member it', async () => {
    const a = await settled()
    const stopped = Promise.withResolvers<void>()
    a.seen.hooks.revoked = () => stopped.promise
    const b = member()
    await broker.pass(SESSION * 2)
    expect(a.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3', 'revoked 0_2 0_3'])
    expect(b.seen.state.tasks).toEqual([])
    expect(broker.members.size).toBe(2)
    stopped.resolve()
    // It has waited for long, and goes by the interval again.
    await broker.until('shared', () => runs(2)(a) && runs(2)(b), HEARTBEAT + 500)
    // Committed with the epoch in which the tasks were held: the broker has moved on only now.
    expect(a.seen.state.revokedWith!.epoch).toBeLessThan(stampOf(a).epoch)
    expect(stampOf(a).epoch).toBe(stampOf(b).epoch)
  })

  it('tells the new epoch also to those who keep what they have', async () => {
    const [a, b] = await shared()
    const { epoch } = stampOf(a)
    broker.rebalance()
    await broker.until('told', () => stampOf(a).epoch > epoch && stampOf(b).epoch > epoch, HEARTBEAT * 2)
    expect(a.seen.state.tasks).toHaveLength(2)
    expect(a.seen.calls.filter((call) => call.startsWith('revoked'))).toHaveLength(1)
  })

  it('takes the tasks over when another member leaves', async () => {
    const [a, b] = await shared()
    await b.group.leave()
    await broker.until('taken over', () => runs(4)(a), HEARTBEAT * 2)
    expect(broker.members.size).toBe(1)
  })

  it('heartbeats fast while something may be on its way, and then as told', async () => {
    const one = await settled()
    await broker.pass(SESSION * 2)
    const quiet = beatsOf(one).length
    await broker.pass(HEARTBEAT * 5)
    expect(beatsOf(one).length - quiet).toBeLessThanOrEqual(6)
    broker.rebalance()
    await broker.pass(HEARTBEAT)
    const restless = beatsOf(one).length
    await broker.pass(HEARTBEAT)
    expect(beatsOf(one).length - restless).toBeGreaterThanOrEqual(8)
  })

  it('says of a member without tasks that some may come, and later that there are none', async () => {
    const moving: (boolean | undefined)[] = []
    const [a, b] = await shared()
    const c = member()
    const d = member()
    await broker.until('four share', () => [a, b, c, d].every(runs(1)))
    const idle = member({
      onAssigned: async ({ active, isMoving }) => void (active.length === 0 && moving.push(isMoving)),
    })
    await broker.until('told twice', () => moving.includes(false))
    expect(moving[0]).toBe(true)
    expect(idle.seen.errors).toEqual([])
  })

  it('never runs a task twice, however members come, go, are forgotten and lose answers', async () => {
    const members = [await settled()]
    const held = () => started.flatMap(({ seen }) => seen.state.tasks)
    const watch = () => {
      const now = held()
      expect(new Set(now).size).toBe(now.length)
      return false
    }
    for (let round = 0; round < 16; round++) {
      if (round % 2) broker.fail('StreamsGroupHeartbeat', 'lose the answer', { times: 2 })
      if (members.length < 4 && round % 3 !== 2) members.push(member())
      else {
        const gone = members.splice(round % members.length, 1)[0]
        gone.seen.state.tasks = []
        await gone.group.leave()
      }
      const end = clock.now() + [70, 430, 2_900][round % 3]
      await broker.until('time passes', () => watch() || clock.now() >= end)
    }
    await broker.until('all run', () => watch() || held().length === ALL.length)
  })

  it('counts all tasks as lost when a revocation fails, and starts those it is left with anew', async () => {
    const a = await settled()
    a.seen.hooks.revoked = () => {
      throw new Error('no')
    }
    const b = member()
    await broker.until('shared', () => runs(2)(a) && runs(2)(b))
    expect(a.seen.calls.slice(0, 4)).toEqual([
      'assigned 0_0 0_1 0_2 0_3',
      'revoked 0_2 0_3',
      'lost 0_0 0_1 0_2 0_3',
      'assigned 0_0 0_1',
    ])
  })

  it('starts tasks again after an error that may pass, and gives up after any other', async () => {
    const one = member()
    let failures = 2
    one.seen.hooks.assigned = () => {
      if (failures-- > 0) throw unavailable()
    }
    await broker.until('tasks run', () => runs(4)(one))
    expect(one.seen.calls.map((call) => call.split(' ')[0])).toEqual([
      'assigned',
      'lost',
      'assigned',
      'lost',
      'assigned',
    ])
    const other = member()
    other.seen.hooks.assigned = (tasks) => {
      if (tasks.length > 0) throw new Error('broken')
    }
    expect((await failed(other)).message).toBe('broken')
    await broker.until('taken back', () => runs(4)(one))
  })

  it('ends over tasks that its plan does not have', async () => {
    const one = member({ tasks: ['0_0', '0_1'] })
    const error = await failed(one)
    expect(code(error)).toBe('TOPIC_MISMATCH')
    expect(error.message).toMatch(/0_2, 0_3/)
    expect(broker.members.size).toBe(0)
  })
})

describe('losing membership', () => {
  it.each([25, 110])('drops the tasks and joins again (%i)', async (fault) => {
    const a = await settled()
    const { memberId } = stampOf(a)
    broker.fail('StreamsGroupHeartbeat', fault)
    await broker.until('back', () => a.seen.calls.length === 3)
    expect(a.seen.calls).toEqual(['assigned 0_0 0_1 0_2 0_3', 'lost 0_0 0_1 0_2 0_3', 'assigned 0_0 0_1 0_2 0_3'])
    expect(stampOf(a).memberId).toBe(memberId)
  })

  it('keeps the tasks through an outage that is shorter than the session', async () => {
    const a = await settled()
    await broker.pass(SESSION)
    broker.goDown()
    await broker.pass(SESSION - HEARTBEAT - 100)
    broker.comeUp()
    await broker.pass(SESSION)
    expect(a.seen.calls).toHaveLength(1)
  })

  it('drops the tasks when the session has ended for certain, and comes back', async () => {
    const a = await settled()
    broker.goDown()
    await broker.until('dropped', () => a.seen.calls.length === 2, SESSION + HEARTBEAT)
    expect(a.seen.calls[1]).toBe('lost 0_0 0_1 0_2 0_3')
    broker.comeUp()
    await broker.until('back', () => runs(4)(a), 4_000)
  })

  it('does so, too, when the broker takes heartbeats and answers none', async () => {
    const a = await settled()
    broker.fail('StreamsGroupHeartbeat', 'hang', { times: 1_000 })
    await broker.until('dropped', () => a.seen.calls.length >= 2, SESSION + HEARTBEAT)
  })

  it('tells all of itself after an answer that did not come, and is not fenced for the epoch it missed', async () => {
    const a = await settled()
    await broker.pass(SESSION)
    broker.rebalance()
    broker.fail('StreamsGroupHeartbeat', 'lose the answer')
    const { epoch } = stampOf(a)
    await broker.until('told', () => stampOf(a).epoch > epoch)
    expect(a.seen.calls.filter((call) => call.startsWith('lost'))).toEqual([])
  })

  it('looks the coordinator up again after NOT_COORDINATOR', async () => {
    await settled()
    expect(broker.state.lookups).toBe(1)
    broker.fail('StreamsGroupHeartbeat', 16)
    await broker.pass(2 * HEARTBEAT)
    expect(broker.state.lookups).toBe(2)
  })

  it('ends, and tells the runtime, when a heartbeat is refused for good', async () => {
    const a = await settled()
    broker.fail('StreamsGroupHeartbeat', 30)
    expect(code(await failed(a))).toBe('NOT_AUTHORIZED')
    expect(a.seen.calls[1]).toBe('lost 0_0 0_1 0_2 0_3')
    await broker.until('left', () => broker.members.size === 0)
  })
})

describe('statuses of the group', () => {
  it.each([
    [1, 'MISSING_TOPIC', /createTopics/],
    [2, 'TOPIC_MISMATCH', /repartition/],
    [3, 'MISSING_TOPIC', /internal topics/],
  ])('that mean no tasks (%i) are waited out for a while, and then end it', async (status, expected, text) => {
    const one = await settled()
    broker.state.statuses = [{ code: status, detail: 'x is wrong' }]
    broker.rebalance()
    await broker.pass(15_000)
    expect(one.seen.errors).toEqual([])
    expect(one.seen.state.tasks).toEqual([])
    const error = await failed(one, 10_000)
    expect(code(error)).toBe(expected)
    expect(String(error)).toMatch(/x is wrong/)
    expect(String(error)).toMatch(text)
  })

  it('that pass are forgotten', async () => {
    const one = await settled()
    broker.state.statuses = [{ code: 3, detail: 'x' }]
    broker.rebalance()
    await broker.pass(15_000)
    broker.state.statuses = []
    broker.rebalance()
    await broker.until('tasks run', () => runs(4)(one))
    await broker.pass(30_000)
    expect(one.seen.errors).toEqual([])
  })

  it('of an application that is to stop stop it', async () => {
    const one = await settled()
    broker.state.statuses = [{ code: 4, detail: 'asked' }]
    expect(code(await failed(one, HEARTBEAT * 2))).toBe('CLOSED')
  })

  it.each([0, 6, 99])('that somebody should see are told once (%i)', async (status) => {
    const one = await settled()
    broker.state.statuses = [{ code: status, detail: 'look' }]
    await broker.pass(30_000)
    expect(one.warnings).toEqual([expect.stringContaining('look')])
    expect(one.seen.state.tasks).toHaveLength(4)
  })

  it('of a broker that has not decided yet mean a heartbeat soon', async () => {
    broker.state.statuses = [{ code: 5, detail: 'later' }]
    const one = await settled()
    await broker.pass(SESSION * 3)
    const before = beatsOf(one).length
    await broker.pass(HEARTBEAT)
    expect(beatsOf(one).length - before).toBeGreaterThanOrEqual(8)
    expect(one.warnings).toEqual([])
  })
})

describe('static members', () => {
  it('say that they come back, and come back to their tasks', async () => {
    const a = await settled({ instanceId: 'a' })
    await a.group.leave()
    expect(broker.beats.at(-1)).toMatchObject({ epoch: -2, instanceId: 'a' })
    expect(broker.members.size).toBe(1)
    const again = member({ instanceId: 'a' })
    await broker.until('back', () => runs(4)(again), 500)
    expect(stampOf(again).memberId).not.toBe(stampOf(a).memberId)
  })

  it('leave when asked to', async () => {
    const a = await settled({ instanceId: 'a' })
    await a.group.leave({ permanently: true })
    expect(broker.members.size).toBe(0)
  })

  it('take the place of the process that had their name, which is told and does not take it back', async () => {
    const old = await settled({ instanceId: 'a' })
    const fresh = member({ instanceId: 'a' })
    await broker.until('taken over', () => runs(4)(fresh), 1_000)
    const error = await failed(old)
    expect(code(error)).toBe('FENCED')
    expect(error.message).toMatch(/instance "a"/)
    expect(old.seen.calls.at(-1)).toBe('lost 0_0 0_1 0_2 0_3')
    await broker.pass(SESSION * 2)
    expect(fresh.seen.calls).toHaveLength(1)
  })

  it('that were forgotten meanwhile leave their place to who has it now', async () => {
    const old = await settled({ instanceId: 'a' })
    broker.remove(stampOf(old).memberId)
    const fresh = member({ instanceId: 'a' })
    await broker.until('in', () => runs(4)(fresh) && failure(old) !== undefined)
    expect(code(failure(old))).toBe('FENCED')
  })
})

describe('progress', () => {
  const progress: TaskProgress[] = [{ task: '0_1', offset: 7, end: 9 }]
  const told = () => broker.beats.flatMap(({ offsets }) => offsets ?? [])

  it('is told as often as the broker asks, and at once when a warm-up has caught up', async () => {
    broker.state.offsetIntervalMs = 10_000
    const one = await settled({ progress: () => progress })
    await broker.pass(9_000)
    expect(told()).toEqual([])
    await broker.pass(5_000)
    expect(told()).toEqual(['0_1@7'])
    one.group.reconsider()
    await broker.pass(100)
    expect(told()).toEqual(['0_1@7', '0_1@7'])
    await broker.pass(9_000)
    expect(told()).toHaveLength(2)
  })

  it('is told by the next heartbeat when it falls due while one is on its way', async () => {
    const one = await settled({ progress: () => progress })
    broker.state.onRequest = () => {
      broker.state.onRequest = undefined
      one.group.reconsider()
    }
    await broker.until('progress is told', () => told().length > 0, 20_000)
    expect(told()).toEqual(['0_1@7'])
  })

  it('is not told to a broker that refuses it: before Kafka 4.4', async () => {
    broker.speaks.set(88, { min: 0, max: 0 })
    broker.state.offsetIntervalMs = 1_000
    const one = await settled({ progress: () => progress })
    one.group.reconsider()
    await broker.pass(10_000)
    expect(told()).toEqual([])
    expect(one.seen.errors).toEqual([])
  })

  it('is not told where there is none', async () => {
    broker.state.offsetIntervalMs = 1_000
    await settled()
    await broker.pass(10_000)
    expect(broker.beats.filter(({ offsets }) => offsets !== undefined)).toEqual([])
  })
})

describe('leaving', () => {
  it('sends no heartbeat and calls nothing any more', async () => {
    const a = await settled()
    await a.group.leave()
    const { length } = broker.requests
    await broker.pass(SESSION * 2)
    expect(broker.requests).toHaveLength(length)
    expect(a.seen.calls).toHaveLength(1)
    expect(broker.members.size).toBe(0)
  })

  it('works from within a callback, and waits only so long for a broker that does not answer', async () => {
    const a = await settled()
    let hasLeft = false
    a.seen.hooks.revoked = async () => {
      broker.fail('StreamsGroupHeartbeat', 'hang', { times: 10 })
      await a.group.leave()
      hasLeft = true
    }
    member()
    await broker.until('left', () => hasLeft)
    expect(a.seen.errors).toEqual([])
  })

  it('ends a join that waits', async () => {
    broker.goDown()
    const a = member()
    await broker.pass(100)
    await a.group.leave()
    await broker.until('rejected', () => a.joining.error !== undefined)
    expect(code(a.joining.error)).toBe('CLOSED')
  })
})

it('offsets are committed in the version that knows epochs, and refused to who is no member', async () => {
  const a = await settled()
  const offsets = [{ topic: 't', partition: 0, offset: 1 }]
  await a.group.commit(offsets, stampOf(a))
  for (const stamp of [{ memberId: 'nobody' }, { epoch: 99 }]) {
    await expect(a.group.commit(offsets, { ...stampOf(a), ...stamp })).rejects.toMatchObject({ code: 'FENCED' })
  }
})
