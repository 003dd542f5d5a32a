import { describe, expect, it } from 'vitest'
import { groupCoordinator } from '../../../../src/log/kafka/membership/group-coordinator.ts'
import { streamsDescribeRequest } from '../../../../src/log/kafka/membership/streams/describe.ts'
import { transport } from '../../../../src/log/kafka/transport.ts'
import type { Assignment, GroupOptions } from '../../../../src/log/log.ts'
import { eventually, type TestMember } from '../../../../src/testing/contracts/log/fixture.ts'
import { kafkaBrokers, uniqueName } from '../../../support/services.ts'
import { streamsMembers, TASKS } from './members.ts'

/** What a real broker keeps of a group of its streams protocol (KIP-1071), and refuses. */
const { log, open, isNew, topicOf, logOf, member, joined } = streamsMembers()

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
        expect(offsets).toEqual(isNew() ? expect.arrayContaining([told(7)]) : [])
        expect(endOffsets).toEqual(isNew() ? expect.arrayContaining([told(9)]) : [])
      }
    })
  })
})
