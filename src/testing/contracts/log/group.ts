import { describe, expect, it } from 'vitest'
import { eventually, type LogUnderTest, refused, type TestMember } from './fixture.ts'

const TASKS = ['0_0', '0_1', '0_2', '0_3']

/** Membership and committed offsets. */
export function groupContract(under: LogUnderTest): void {
  describe('a group', () => {
    it('gives a single member all tasks', async () => {
      const topic = await under.topic(4)
      const member = under.member(under.name('group'), { topics: [topic], tasks: TASKS })
      await member.group.join()
      await member.holding(4)
      expect([...member.owned].sort()).toEqual(TASKS)
      // All at once, or in steps.
      expect(new Set(member.events)).toEqual(new Set(['assigned']))
    })

    it('keeps offsets with their metadata, and only those of partitions that have one', async () => {
      const topic = await under.topic(4)
      const member = under.member(under.name('group'), { topics: [topic], tasks: TASKS })
      const all = [0, 1, 2, 3].map((partition) => ({ topic, partition }))
      expect(await member.group.committed(all)).toEqual([])
      await member.group.join()
      const stamp = await member.holding(4)
      const metadata = JSON.stringify({ streamTime: 1, text: 'käse' })
      await member.group.commit([{ topic, partition: 2, offset: 10, metadata }], stamp)
      await member.group.commit([{ topic, partition: 0, offset: 0 }], stamp)
      await member.group.commit([{ topic, partition: 2, offset: 11, metadata }], stamp)
      const committed = await member.group.committed(all)
      expect([...committed].sort((a, b) => a.partition - b.partition)).toMatchObject([
        { topic, partition: 0, offset: 0 },
        { topic, partition: 2, offset: 11, metadata },
      ])
    })

    it('keeps offsets apart from those of other groups', async () => {
      const topic = await under.topic()
      const [one, other] = [0, 1].map(() => under.member(under.name('group'), { topics: [topic], tasks: ['0_0'] }))
      await one.group.join()
      await one.group.commit([{ topic, partition: 0, offset: 3 }], await one.holding(1))
      expect(await other.group.committed([{ topic, partition: 0 }])).toEqual([])
    })

    it('gives the tasks to a member that comes after one has left, and not to the one that left', async () => {
      const topic = await under.topic(4)
      const member = under.member(under.name('group'), { topics: [topic], tasks: TASKS })
      await member.group.join()
      const stamp = await member.holding(4)
      await member.group.commit([{ topic, partition: 0, offset: 5 }], stamp)
      await member.group.leave()
      expect(new Set(member.events)).toEqual(new Set(['assigned']))
      const again = under.member(member.name, { topics: [topic], tasks: TASKS })
      await again.group.join()
      const renewed = await again.holding(4)
      expect(await again.group.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 5 }])
      await refused(again.group.commit([{ topic, partition: 0, offset: 4 }], stamp), 'FENCED')
      await again.group.commit([{ topic, partition: 0, offset: 6 }], renewed)
    })
  })

  if (under.capabilities.multipleMembers === false) return
  describe('a group of several members', () => {
    /** The tasks of all, when they are all held and none twice. */
    const spread = (members: readonly TestMember[]) =>
      eventually(() => {
        const held = members.flatMap((member) => [...member.owned])
        expect(held.sort()).toEqual(TASKS)
        for (const member of members) expect(member.errors).toEqual([])
      })

    const join = async (group: string, topic: string) => {
      const member = under.member(group, { topics: [topic], tasks: TASKS })
      await member.group.join()
      return member
    }

    it('spreads the tasks, and again when one leaves', async () => {
      const [topic, group] = [await under.topic(4), under.name('group')]
      const first = await join(group, topic)
      await spread([first])
      const second = await join(group, topic)
      await eventually(() => expect(second.owned.size).toBe(2))
      await spread([first, second])
      expect(first.owned.size).toBe(2)
      await first.group.leave()
      await spread([second])
      expect(second.errors).toEqual([])
    })

    it('lets a member commit what it loses before another gets it', async () => {
      const [topic, group] = [await under.topic(4), under.name('group')]
      const first = await join(group, topic)
      await spread([first])
      let second: TestMember | undefined
      let early = false
      first.beforeRevoked = async (_, stamp) => {
        early ||= second !== undefined && second.owned.size > 0
        await first.group.commit([{ topic, partition: 0, offset: 42 }], stamp)
        early ||= second !== undefined && second.owned.size > 0
      }
      second = under.member(group, { topics: [topic], tasks: TASKS })
      await second.group.join()
      await eventually(() => expect(second.owned.size).toBe(2))
      await spread([first, second])
      expect(early).toBe(false)
      expect(await second.group.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 42 }])
    })

    it('takes from a member only what goes to others, after having said that a rebalance comes', async () => {
      const [topic, group] = [await under.topic(4), under.name('group')]
      const first = await join(group, topic)
      await spread([first])
      const before = [...first.owned]
      const revoked: string[] = []
      first.beforeRevoked = async (tasks) => {
        expect(first.events.at(-1)).toBe('rebalancing')
        revoked.push(...tasks)
      }
      const second = await join(group, topic)
      await eventually(() => expect(second.owned.size).toBe(2))
      await spread([first, second])
      expect(revoked.sort()).toEqual([...second.owned].sort())
      expect([...first.owned, ...revoked].sort()).toEqual(before.sort())
      expect(first.events.filter((event) => event === 'revoked')).toHaveLength(1)
      expect(first.events).not.toContain('lost')
    })

    it('accepts the commits of a member for the tasks that it keeps through every generation', async () => {
      const [topic, group] = [await under.topic(4), under.name('group')]
      const first = await join(group, topic)
      await spread([first])
      for (const offset of [1, 2, 3]) {
        const other = await join(group, topic)
        await eventually(() => expect(other.owned.size).toBe(2))
        await spread([first, other])
        await eventually(() => first.group.commit([{ topic, partition: 0, offset }], first.assignment!.stamp))
        await other.group.leave()
        await spread([first])
      }
      expect(first.events.filter((event) => event === 'lost')).toEqual([])
      expect(await first.group.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 3 }])
    })

    it('refuses the stamp of a member that has left', async () => {
      const [topic, group] = [await under.topic(4), under.name('group')]
      const [first, second] = [await join(group, topic), await join(group, topic)]
      await spread([first, second])
      const { stamp } = first.assignment!
      await first.group.leave()
      await spread([second])
      await refused(second.group.commit([{ topic, partition: 0, offset: 1 }], stamp), 'FENCED')
      await second.group.commit([{ topic, partition: 0, offset: 2 }], second.assignment!.stamp)
    })
  })
}
