import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignTasks } from '../../../src/log/assignor/assignor.ts'
import type { Candidate } from '../../../src/log/assignor/candidate.ts'
import { nextRound } from '../../../src/log/assignor/round.ts'
import { parseTask } from '../../../src/log/assignor/tasks.ts'

/** Tasks of a topology with so many partitions per subtopology. */
const tasksOf = (partitions: readonly number[]) =>
  partitions.flatMap((count, subtopology) => Array.from({ length: count }, (_, p) => `${subtopology}_${p}`))

const newcomer = (id: string, tasks: readonly string[]): Candidate => ({ id, tasks, owned: [], generation: -1 })
const settled = (candidates: readonly Candidate[], generation: number): Candidate[] => {
  const assignment = assignTasks(candidates)
  return candidates.map((candidate) => ({ ...candidate, owned: assignment.get(candidate.id)!, generation }))
}
const shape = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 5 })
const memberIds = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 9 })

/** Members of one topology with arbitrary, partly contradictory, claims. */
const claiming = fc.tuple(shape, memberIds).chain(([partitions, ids]) => {
  const tasks = tasksOf(partitions)
  return fc.tuple(
    ...ids.map((id) =>
      fc.record({
        id: fc.constant(id),
        tasks: fc.constant(tasks),
        owned: fc.subarray([...tasks, '9_9']),
        generation: fc.integer({ min: -1, max: 3 }),
      }),
    ),
  )
})

/** Members whose topologies differ. */
const mixed = fc.tuple(shape, memberIds).chain(([partitions, ids]) => {
  const tasks = tasksOf(partitions)
  return fc.tuple(...ids.map((id) => fc.subarray(tasks).map((some) => newcomer(id, some))))
})

const sizes = (assignment: Map<string, string[]>) => [...assignment.values()].map((tasks) => tasks.length)
const spreadOf = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts)

describe('assignTasks', () => {
  it('gives every task to exactly one member, and each member an entry', () => {
    fc.assert(
      fc.property(claiming, (members) => {
        const assignment = assignTasks(members)
        expect([...assignment.keys()].sort()).toEqual(members.map(({ id }) => id).sort())
        expect([...assignment.values()].flat().sort()).toEqual([...members[0].tasks].sort())
      }),
    )
  })

  it('balances within one task', () => {
    fc.assert(
      fc.property(claiming, (members) => {
        expect(spreadOf(sizes(assignTasks(members)))).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('does not depend on the order of members, tasks or claims', () => {
    fc.assert(
      fc.property(claiming, fc.infiniteStream(fc.nat()), (members, random) => {
        const shuffle = <T>(items: readonly T[]) =>
          [...items]
            .map((item) => ({ item, key: random.next().value }))
            .sort((a, b) => a.key - b.key)
            .map((x) => x.item)
        const again = shuffle(members).map((m) => ({ ...m, tasks: shuffle(m.tasks), owned: shuffle(m.owned) }))
        expect(Object.fromEntries(assignTasks(again))).toEqual(Object.fromEntries(assignTasks(members)))
      }),
    )
  })

  it('moves no more tasks than balance demands', () => {
    fc.assert(
      fc.property(claiming, (members) => {
        const tasks = new Set(members[0].tasks)
        const byId = [...members].sort((a, b) => a.id.length - b.id.length || (a.id < b.id ? -1 : 1))
        const owner = new Map<string, Candidate>()
        for (const member of byId) {
          for (const task of member.owned) {
            if (tasks.has(task) && (owner.get(task)?.generation ?? -2) < member.generation) owner.set(task, member)
          }
        }
        const held = members.map((member) => [...owner.values()].filter((other) => other === member).length)
        const floor = Math.floor(tasks.size / members.length)
        const above = held.filter((count) => count > floor).length
        const mostKept =
          held.reduce((sum, count) => sum + Math.min(count, floor), 0) + Math.min(tasks.size % members.length, above)

        const assignment = assignTasks(members)
        const kept = [...owner].filter(([task, { id }]) => assignment.get(id)!.includes(task)).length
        expect(kept).toBe(mostKept)
      }),
    )
  })

  it('moves nothing when it is asked again', () => {
    fc.assert(
      fc.property(claiming, (members) => {
        const first = settled(members, 5)
        expect(settled(first, 6).map(({ owned }) => owned)).toEqual(first.map(({ owned }) => owned))
      }),
    )
  })

  it('spreads the partitions of each subtopology evenly over new members', () => {
    fc.assert(
      fc.property(shape, memberIds, (partitions, ids) => {
        const tasks = tasksOf(partitions)
        const assignment = assignTasks(ids.map((id) => newcomer(id, tasks)))
        for (const subtopology of partitions.keys()) {
          const counts = [...assignment.values()].map(
            (given) => given.filter((task) => parseTask(task).subtopology === String(subtopology)).length,
          )
          expect(spreadOf(counts)).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  it('keeps subtopologies spread while members come and go', () => {
    const coming = fc.record({ join: fc.boolean(), which: fc.nat() })
    fc.assert(
      fc.property(shape, fc.array(coming, { maxLength: 30 }), (partitions, events) => {
        const tasks = tasksOf(partitions)
        let members = settled([newcomer('m', tasks)], 0)
        for (const [generation, { join, which }] of events.entries()) {
          if (join && members.length < 8) members.push(newcomer(`m${generation}`, tasks))
          else if (members.length > 1) members.splice(which % members.length, 1)
          members = settled(members, generation + 1)
          for (const subtopology of partitions.keys()) {
            const counts = members.map(({ owned }) => owned.filter((task) => task.startsWith(`${subtopology}_`)).length)
            expect(spreadOf(counts)).toBeLessThanOrEqual(4)
          }
        }
      }),
    )
  })

  it('gives a member only tasks that it can run, and as evenly as those allow', () => {
    fc.assert(
      fc.property(mixed, (members) => {
        const assignment = assignTasks(members)
        const every = new Set(members.flatMap(({ tasks }) => tasks))
        expect([...assignment.values()].flat().sort()).toEqual([...every].sort())
        for (const { id, tasks } of members) {
          for (const task of assignment.get(id)!) expect(tasks).toContain(task)
        }
        for (const from of members) {
          for (const to of members) {
            const given = assignment.get(from.id)!
            if (given.length - assignment.get(to.id)!.length < 2) continue
            expect(given.filter((task) => to.tasks.includes(task))).toEqual([])
          }
        }
      }),
    )
  })

  it('trusts the newest claim', () => {
    const tasks = tasksOf([2])
    const assignment = assignTasks([
      { id: 'a', tasks, owned: ['0_0', '0_1'], generation: 3 },
      { id: 'b', tasks, owned: ['0_0'], generation: 4 },
    ])
    expect(Object.fromEntries(assignment)).toEqual({ a: ['0_1'], b: ['0_0'] })
  })

  it('has nothing to say about nobody', () => {
    expect(assignTasks([])).toEqual(new Map())
  })
})

describe('nextRound', () => {
  type Members = readonly Candidate[]
  const ownersOf = (members: Members) => members.flatMap(({ owned }) => owned)
  /** What the members say of themselves when they join again: they have given up what was taken from them. */
  const next = (members: Members, generation: number): Candidate[] => {
    const { shares } = nextRound(members)
    return members.map((member) => ({ ...member, owned: shares.get(member.id)!.active, generation }))
  }
  const coming = fc.record({ event: fc.constantFrom('join', 'leave', 'fence', 'pass' as const), which: fc.nat() })

  it('never gives a task to one member while another runs it', () => {
    fc.assert(
      fc.property(shape, fc.array(coming, { maxLength: 30 }), (partitions, events) => {
        const tasks = tasksOf(partitions)
        let members: Candidate[] = [newcomer('m', tasks)]
        for (const [i, { event, which }] of events.entries()) {
          const index = which % members.length
          if (event === 'join') members = [...members, newcomer(`m${i}`, tasks)]
          if (event === 'leave' && members.length > 1) members = members.toSpliced(index, 1)
          // It has dropped everything, and comes back under its old id.
          if (event === 'fence') members = members.with(index, { ...members[index], owned: [], generation: i - 1 })
          const running = new Map(members.flatMap(({ id, owned }) => owned.map((task) => [task, id] as const)))
          const { shares } = nextRound(members)
          for (const [id, { active }] of shares) for (const task of active) expect(running.get(task) ?? id).toBe(id)
          members = next(members, i)
          expect(new Set(ownersOf(members)).size).toBe(ownersOf(members).length)
        }
      }),
    )
  })

  it('is where the group was going after two rounds, and then nothing moves', () => {
    fc.assert(
      fc.property(shape, memberIds, fc.integer({ min: 0, max: 9 }), (partitions, ids, leaving) => {
        const tasks = tasksOf(partitions)
        const [first, ...others] = ids
        const alone = next([newcomer(first, tasks)], 0)
        const joined = next([...alone, ...others.map((id) => newcomer(id, tasks))], 1)
        const settledDown = next(joined, 2)
        expect([...ownersOf(settledDown)].sort()).toEqual([...tasks].sort())
        expect(spreadOf(settledDown.map(({ owned }) => owned.length))).toBeLessThanOrEqual(1)
        expect(nextRound(settledDown).moving).toEqual([])
        expect(next(settledDown, 3).map(({ owned }) => owned)).toEqual(settledDown.map(({ owned }) => owned))
        const rest = settledDown.toSpliced(leaving % ids.length, 1)
        if (rest.length === 0) return
        const again = next(next(rest, 4), 5)
        expect([...ownersOf(again)].sort()).toEqual([...tasks].sort())
        expect(nextRound(again).moving).toEqual([])
      }),
    )
  })

  it('settles within three rounds while two versions of a topology are in one group', () => {
    fc.assert(
      fc.property(mixed, fc.nat(), (members, which) => {
        let now = next(next(members, 1), 2)
        const tasks = [...new Set(members.flatMap((member) => member.tasks))]
        now = [...now.toSpliced(which % now.length, 1), newcomer('new', tasks)]
        for (const generation of [3, 4, 5]) now = next(now, generation)
        expect(nextRound(now).moving).toEqual([])
        expect([...ownersOf(now)].sort()).toEqual([...tasks].sort())
      }),
    )
  })

  it('lets nobody have a task whose old owner has not been heard of giving it up', () => {
    const tasks = tasksOf([2])
    const { shares, moving } = nextRound([
      { id: 'a', tasks, owned: ['0_0', '0_1'], generation: 3 },
      newcomer('b', tasks),
    ])
    expect(shares.get('a')?.active).toEqual(['0_0'])
    expect(shares.get('b')?.active).toEqual([])
    expect(moving).toEqual(['0_1'])
  })
})
