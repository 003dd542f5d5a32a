import { Kafka, logLevel } from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { count, groupBy, json, type Running, run, stream, string, to, topology, toStream } from '../../../src/index.ts'
import { type KafkaOptions, kafka } from '../../../src/log/kafka/index.ts'
import { groupCoordinator } from '../../../src/log/kafka/membership/group-coordinator.ts'
import { streamsDescribeRequest } from '../../../src/log/kafka/membership/streams/describe.ts'
import { STREAMS_GROUP_HEARTBEAT } from '../../../src/log/kafka/membership/streams/protocol.ts'
import { transport } from '../../../src/log/kafka/transport.ts'
import type { Assignment, GroupOptions, Log, Stamp } from '../../../src/log/log.ts'
import { eventually, refused, TestMember, valuesOf } from '../../../src/testing/contracts/log/fixture.ts'
import { readRecords, writeRecords } from '../../support/records.ts'
import { kafkaBrokers, uniqueName } from '../../support/services.ts'

/** What a real broker does with members of its streams protocol (KIP-1071) that is not the same for every log. */
const open: (() => Promise<void>)[] = []
let log: Log
/** Kafka 4.4 has static members and wants to know how far tasks are; 4.2 and 4.3 have and want neither. */
let isNew: boolean
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers(), protocol: 'streams' })
  await log.connect()
  const connections = transport({ brokers: kafkaBrokers() })
  isNew = (await groupCoordinator(connections, 'any').versions(STREAMS_GROUP_HEARTBEAT))!.max >= 1
  await connections.close()
})
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})
afterAll(() => log.close())

const TASKS = ['0_0', '0_1', '0_2', '0_3']

async function topicOf(partitions: number): Promise<string> {
  const topic = uniqueName('streams')
  await log.admin.create([{ topic, partitions }])
  return topic
}

async function logOf(protocol: KafkaOptions['protocol']): Promise<Log> {
  const one = kafka({ brokers: kafkaBrokers(), protocol })
  await one.connect()
  open.push(() => one.close())
  return one
}

function member(group: string, topic: string, options: Partial<GroupOptions> = {}, of = log): TestMember {
  const one = new TestMember(of, { group, topics: [topic], tasks: TASKS, ...options })
  open.push(() => one.group.leave())
  return one
}

async function joined(...args: Parameters<typeof member>): Promise<TestMember> {
  const one = member(...args)
  await one.group.join()
  return one
}

const spread = (...members: TestMember[]) =>
  eventually(() => {
    for (const { errors } of members) expect(errors).toEqual([])
    expect(members.flatMap(({ owned }) => [...owned]).sort()).toEqual(TASKS)
    for (const { owned } of members) expect(owned.size).toBe(TASKS.length / members.length)
  })

describe('a stamp of an older epoch', () => {
  /** A member that has lost two of its tasks, and what it held before. */
  async function halved() {
    const [group, topic] = [uniqueName('zombie'), await topicOf(4)]
    const zombie = await joined(group, topic)
    const old = await zombie.holding(4)
    const heir = await joined(group, topic)
    await spread(zombie, heir)
    const partitionOf = (task: string) => ({ topic, partition: Number(task.slice(2)) })
    const kept = partitionOf([...zombie.owned][0])
    const taken = partitionOf([...heir.owned][0])
    expect(zombie.assignment!.stamp.epoch).toBeGreaterThan(old.epoch)
    return { zombie, heir, old, kept, taken, topic }
  }

  it('is refused for what was taken away since, and good for what was kept', async () => {
    const { zombie, old, kept, taken } = await halved()
    await refused(zombie.group.commit([{ ...taken, offset: 5 }], old), 'FENCED')
    await zombie.group.commit([{ ...kept, offset: 5 }], old)
    expect(await zombie.group.committed([kept, taken])).toMatchObject([{ ...kept, offset: 5 }])
  })

  it('is so within a transaction, too: nothing of it is seen', async () => {
    const { zombie, old, kept, taken, topic } = await halved()
    const producer = log.producer({ transactionalId: uniqueName('zombie') })
    open.push(() => producer.close())
    await producer.init()
    const attempt = async (offsets: { topic: string; partition: number; offset: number }[], stamp: Stamp) => {
      producer.begin()
      await producer.send(topic, 0, valuesOf(`at ${stamp.epoch}`))
      await producer.sendOffsets(offsets, stamp)
      await producer.commit()
    }
    await refused(attempt([{ ...taken, offset: 7 }], old), 'FENCED')
    await producer.abort()
    await attempt([{ ...kept, offset: 8 }], old)
    expect(await readRecords(log, topic)).toMatchObject([{ value: `at ${old.epoch}` }])
    expect(await zombie.group.committed([kept, taken])).toMatchObject([{ ...kept, offset: 8 }])
  })

  it('of a member that the group has forgotten is refused for everything', async () => {
    const { zombie, heir, kept } = await halved()
    const { stamp } = zombie.assignment!
    await zombie.group.leave()
    await spread(heir)
    await refused(heir.group.commit([{ ...kept, offset: 9 }], stamp), 'FENCED')
  })
})

describe('an instance with a name', () => {
  const named = { instanceId: 'left' }
  const isRefused = async () => {
    const join = member(uniqueName('named'), await topicOf(4), named).group.join()
    await expect(join).rejects.toMatchObject({ code: 'UNSUPPORTED_BROKER', hint: expect.stringMatching(/4\.4/) })
  }

  it('has its tasks back after a restart, and nothing moves', async () => {
    if (!isNew) return isRefused()
    const [group, topic] = [uniqueName('named'), await topicOf(4)]
    const [stays, leaves] = [await joined(group, topic), await joined(group, topic, named)]
    await spread(stays, leaves)
    const had = [...leaves.owned].sort()
    await leaves.group.leave()
    const again = await joined(group, topic, named)
    await spread(stays, again)
    expect([...again.owned].sort()).toEqual(had)
    expect(stays.events.filter((event) => event === 'revoked' || event === 'lost').length).toBeLessThanOrEqual(1)
  })

  it('that is started while another process has the name takes its place, and fences it', async () => {
    if (!isNew) return isRefused()
    const [group, topic] = [uniqueName('twice'), await topicOf(4)]
    const older = await joined(group, topic, named)
    const old = await older.holding(4)
    const newer = await joined(group, topic, named)
    const stamp = await newer.holding(4)
    await eventually(() => expect(older.errors).toMatchObject([{ code: 'FENCED' }]))
    expect(older.owned.size).toBe(0)
    await refused(newer.group.commit([{ topic, partition: 0, offset: 1 }], old), 'FENCED')
    await newer.group.commit([{ topic, partition: 0, offset: 2 }], stamp)
    expect(newer.errors).toEqual([])
  })
})

describe('a group', () => {
  const failing = async (one: TestMember) => {
    const error = await one.group.join().then(
      () => undefined,
      (thrown) => thrown,
    )
    expect(error).toMatchObject({ name: 'MillraceError' })
    return error
  }

  it('has one protocol at a time, and keeps its offsets when it changes it', async () => {
    const [group, topic] = [uniqueName('changes'), await topicOf(4)]
    const classic = await logOf('classic')
    const first = await joined(group, topic, {}, classic)
    await first.group.commit([{ topic, partition: 0, offset: 3 }], await first.holding(4))
    expect(await failing(member(group, topic))).toMatchObject({
      code: 'INVALID_OPTION',
      hint: expect.stringMatching(/stop all of them/),
    })
    await first.group.leave()
    const second = await joined(group, topic)
    const stamp = await second.holding(4)
    expect(await second.group.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 3 }])
    await second.group.commit([{ topic, partition: 0, offset: 4 }], stamp)
    expect(await failing(member(group, topic, {}, classic))).toMatchObject({ code: 'INVALID_OPTION' })
    await second.group.leave()
    const third = await joined(group, topic, {}, classic)
    await third.holding(4)
    expect(await third.group.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 4 }])
  })

  it('keeps its topology, until it has been a classic one', async () => {
    const [group, topic, more] = [uniqueName('topology'), await topicOf(4), await topicOf(4)]
    const old = await joined(group, topic)
    await old.group.commit([{ topic, partition: 0, offset: 3 }], await old.holding(4))
    await old.group.leave()
    const changed = { topics: [topic, more] }
    expect(await failing(member(group, topic, changed))).toMatchObject({
      code: 'INVALID_TOPOLOGY',
      hint: expect.stringMatching(/classic/),
    })
    const between = await joined(group, topic, changed, await logOf('classic'))
    await between.holding(4)
    await between.group.leave()
    const fresh = await joined(group, topic, changed)
    await fresh.holding(4)
    expect(await fresh.group.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 3 }])
  })

  it('says which session a broker does not allow', async () => {
    const [group, topic] = [uniqueName('session'), await topicOf(4)]
    const error = await failing(member(group, topic, { sessionTimeoutMs: 300 }))
    expect(error).toMatchObject({ code: 'INVALID_OPTION' })
    expect(String(error)).toMatch(/streams\.session\.timeout\.ms=300/)
  })

  it('has standbys when they are asked for, and is told how far they are', async () => {
    const [group, topic] = [uniqueName('standbys'), await topicOf(4)]
    const changelog = `${group}-state-changelog`
    await log.admin.create([{ topic: changelog, partitions: 4, config: { 'cleanup.policy': 'compact' } }])
    const assignments: Assignment[][] = [[], []]
    const options = (which: number): Partial<GroupOptions> => ({
      standbys: 1,
      stateful: TASKS,
      progress: () => TASKS.map((task) => ({ task, offset: 7, end: 9 })),
      subtopologies: [
        {
          id: '0',
          sources: [topic],
          repartitions: [],
          changelogs: [{ topic: changelog, partitions: 4, config: { 'cleanup.policy': 'compact' } }],
          writes: [],
          copartitioned: [],
        },
      ],
      onAssigned: async (assignment) => void assignments[which].push(assignment),
    })
    const members = [await joined(group, topic, options(0)), await joined(group, topic, options(1))]
    await eventually(() => {
      const [a, b] = assignments.map((of) => of.at(-1)!)
      expect([...a.active, ...b.active].sort()).toEqual(TASKS)
      // Each keeps what the other runs.
      expect([...a.standby].sort()).toEqual([...b.active].sort())
      expect([...b.standby].sort()).toEqual([...a.active].sort())
    })
    for (const { group: of } of members) of.reconsider()
    const connections = transport({ brokers: kafkaBrokers() })
    open.push(() => connections.close())
    const coordinator = groupCoordinator(connections, group)
    const told = (offset: number) => ({ subtopology: '0', partition: 1, offset })
    await eventually(async () => {
      const described = await coordinator.call(streamsDescribeRequest(group), { lane: 'offsets' })
      expect(described.members).toHaveLength(2)
      for (const { offsets, endOffsets } of described.members) {
        expect(offsets).toEqual(isNew ? expect.arrayContaining([told(7)]) : [])
        expect(endOffsets).toEqual(isNew ? expect.arrayContaining([told(9)]) : [])
      }
    })
  })
})

describe('a job', () => {
  const counting = (name: string) =>
    topology(name, [
      stream(`${name}-in`, { key: string(), value: string() }).pipe(
        groupBy((value) => value),
        count('counts'),
        toStream(),
        to(`${name}-out`, { key: string(), value: json<number | null>() }),
      ),
    ])
  const start = async (name: string, job = counting(name)): Promise<Running> => {
    const options = { protocol: 'streams', brokers: kafkaBrokers() } as const
    const running = await run(job, { log: kafka(options), logger: false, handleSignals: false })
    open.push(() => running.stop().catch(() => {}))
    return running
  }

  it('ends when an input topic has grown, and runs with the new partitions when it is started again', async () => {
    const name = uniqueName('grown')
    await log.admin.create(['in', 'out'].map((topic) => ({ topic: `${name}-${topic}`, partitions: 2 })))
    const copying = topology(name, [
      stream(`${name}-in`, { key: string(), value: string() }).pipe(
        to(`${name}-out`, { key: string(), value: string() }),
      ),
    ])
    const one = await start(name, copying)
    await one.ready()
    const admin = new Kafka({ brokers: kafkaBrokers(), logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    open.push(() => admin.disconnect())
    await admin.createPartitions({ topicPartitions: [{ topic: `${name}-in`, count: 3 }] })
    await expect(one.done).rejects.toMatchObject({ code: 'TOPIC_MISMATCH', message: expect.stringMatching(/0_2/) })
    const again = await start(name, copying)
    await eventually(() => expect(again.state.tasks).toEqual(['0_0', '0_1', '0_2']))
  })

  it('runs by the tasks of the broker, which agrees with it on all topics', async () => {
    const name = uniqueName('job')
    await log.admin.create(['in', 'out'].map((topic) => ({ topic: `${name}-${topic}`, partitions: 3 })))
    const words = Array.from({ length: 300 }, (_, n) => ({ key: `${n}`, value: `word-${n % 5}`, timestamp: n }))
    await writeRecords(log, `${name}-in`, words)
    const [one, two] = [await start(name), await start(name)]
    await eventually(() => {
      expect([...one.state.tasks, ...two.state.tasks].sort()).toEqual(['0_0', '0_1', '0_2', '1_0', '1_1', '1_2'])
      expect(one.state.tasks).toHaveLength(3)
    })
    await one.caughtUp()
    const counted = new Map((await readRecords(log, `${name}-out`)).map(({ key, value }) => [key, Number(value)]))
    expect([...counted].sort()).toEqual(Array.from({ length: 5 }, (_, n) => [`word-${n}`, 60]))
  })
})
