import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { type KafkaOptions, kafka } from '../../../../src/log/kafka/index.ts'
import { groupCoordinator } from '../../../../src/log/kafka/membership/group-coordinator.ts'
import { STREAMS_GROUP_HEARTBEAT } from '../../../../src/log/kafka/membership/streams/protocol.ts'
import { transport } from '../../../../src/log/kafka/transport.ts'
import type { GroupOptions, Log } from '../../../../src/log/log.ts'
import { eventually, TestMember } from '../../../../src/testing/contracts/log/fixture.ts'
import { kafkaBrokers, uniqueName } from '../../../support/services.ts'

export const TASKS = ['0_0', '0_1', '0_2', '0_3']

/** Members of the streams protocol on a real broker, for the tests of a file; each test ends with none of them left. */
export function streamsMembers() {
  const open: (() => Promise<void>)[] = []
  const log = kafka({ brokers: kafkaBrokers(), protocol: 'streams' })
  let isNew: boolean
  beforeAll(async () => {
    await log.connect()
    const connections = transport({ brokers: kafkaBrokers() })
    isNew = (await groupCoordinator(connections, 'any').versions(STREAMS_GROUP_HEARTBEAT))!.max >= 1
    await connections.close()
  })
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close()
  })
  afterAll(() => log.close())

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

  return {
    log,
    /** What the test has opened besides. */
    open,
    /** Kafka 4.4 has static members and wants to know how far tasks are; 4.2 and 4.3 have and want neither. */
    isNew: () => isNew,
    topicOf,
    logOf,
    member,
    joined,
    spread,
  }
}
