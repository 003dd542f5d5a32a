import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candidate } from '../../../src/log/assignor/candidate.ts'
import { nextRound, type Round } from '../../../src/log/assignor/round.ts'
import type { StandbyOptions } from '../../../src/log/log.ts'

/** A group over many rounds: its members read changelogs in between, and come and go. */

interface Member {
  readonly id: string
  readonly processId: string
  readonly owned: readonly string[]
  /** How far it has which states. */
  readonly states: ReadonlyMap<string, number>
}

interface World {
  readonly tasks: readonly string[]
  /** Sizes of the states, by task with state. */
  readonly sizes: ReadonlyMap<string, number>
  readonly options: Required<StandbyOptions>
}

const LAG = 10_000
const newcomer = (id: string, processId = id): Member => ({ id, processId, owned: [], states: new Map() })
const candidates = (members: readonly Member[], { tasks, sizes }: World, generation: number): Candidate[] =>
  members.map(({ id, processId, owned, states }) => ({
    id,
    processId,
    tasks,
    owned,
    generation,
    stateful: [...sizes.keys()],
    progress: Array.from(states, ([task, offset]) => ({ task, offset, end: sizes.get(task)! })),
  }))

/** What the members have after a round; states that they keep or begin come `read` further. */
function passed(
  members: readonly Member[],
  { shares }: Round,
  { sizes }: World,
  read = Number.POSITIVE_INFINITY,
): Member[] {
  return members.map((member) => {
    const { active, standby, warmup } = shares.get(member.id)!
    const followed = [...standby, ...warmup].map((task) => {
      const at = member.owned.includes(task) ? sizes.get(task)! : (member.states.get(task) ?? 0)
      return [task, Math.min(sizes.get(task)!, at + read)] as const
    })
    const run = active.filter((task) => sizes.has(task)).map((task) => [task, sizes.get(task)!] as const)
    return { ...member, owned: active, states: new Map([...followed, ...run]) }
  })
}

let generation = 0
const roundOf = (members: readonly Member[], world: World): Round =>
  nextRound(candidates(members, world, generation++), world.options)

/** Goes through rounds until nothing is on its way any more. */
function settle(members: readonly Member[], world: World): Member[] {
  let now = [...members]
  for (let rounds = 0; rounds < 4 + 3 * world.tasks.length; rounds++) {
    const round = roundOf(now, world)
    check(now, round, world)
    const isAtRest = round.moving.length === 0 && [...round.shares.values()].every(({ warmup }) => warmup.length === 0)
    now = passed(now, round, world)
    if (isAtRest) return now
  }
  throw new Error('it never ends')
}

/** What holds in every round. */
function check(members: readonly Member[], round: Round, { tasks, sizes, options }: World): void {
  const active = [...round.shares.values()].flatMap((share) => share.active)
  expect([...active, ...round.moving].sort()).toEqual([...tasks].sort())
  const processOf = new Map(members.map(({ id, processId }) => [id, processId]))
  let warming = 0
  for (const [id, share] of round.shares) {
    const { owned } = members.find((member) => member.id === id)!
    for (const task of share.active) {
      expect(members.filter((other) => other.id !== id && other.owned.includes(task))).toEqual([])
      for (const [other, { standby, warmup }] of round.shares) {
        if (processOf.get(other) === processOf.get(id)) expect(standby).not.toContain(task)
        if (other === id) expect(warmup).not.toContain(task)
      }
    }
    for (const task of [...share.standby, ...share.warmup]) expect(sizes.has(task)).toBe(true)
    expect(share.standby.filter((task) => share.warmup.includes(task))).toEqual([])
    warming += share.warmup.filter((task) => !round.moving.includes(task)).length
    // Whoever must give a task up may keep its state.
    for (const task of share.warmup) expect(owned).not.toContain(task)
  }
  expect(warming).toBeLessThanOrEqual(options.maxWarmups)
  for (const task of sizes.keys()) {
    const on = [...round.shares].filter(([, { standby }]) => standby.includes(task)).map(([id]) => processOf.get(id))
    expect(on.length).toBeLessThanOrEqual(options.standbys)
    expect(new Set(on).size).toBe(on.length)
  }
}

const spreadOf = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts)

/** What holds at rest. */
function checkRest(members: readonly Member[], world: World): void {
  const { sizes, options } = world
  expect(spreadOf(members.map(({ owned }) => owned.length))).toBeLessThanOrEqual(1)
  expect(spreadOf(members.map(({ owned }) => owned.filter((task) => sizes.has(task)).length))).toBeLessThanOrEqual(1)
  const round = roundOf(members, world)
  const processes = new Set(members.map(({ processId }) => processId)).size
  const copies = Math.min(options.standbys, processes - 1)
  for (const task of sizes.keys()) {
    expect([...round.shares.values()].filter(({ standby }) => standby.includes(task))).toHaveLength(copies)
  }
  expect(round.missingStandbys).toBe(sizes.size * (options.standbys - copies))
  // Asked again, nothing changes.
  for (const { id, owned, states } of members) {
    const share = round.shares.get(id)!
    expect(share.active).toEqual(owned)
    expect([...share.active, ...share.standby].filter((task) => sizes.has(task)).sort()).toEqual(
      [...states.keys()].sort(),
    )
  }
  if (processes < members.length) return
  expect(spreadOf(members.map(({ states }) => states.size))).toBeLessThanOrEqual(2)
}

const world: fc.Arbitrary<World> = fc
  .record({
    stateful: fc.array(fc.array(fc.nat(40_000), { maxLength: 6 }), { maxLength: 3 }),
    stateless: fc.nat(8),
    standbys: fc.nat(3),
    maxWarmups: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ stateful, stateless, standbys, maxWarmups }) => {
    const sizes = new Map(stateful.flatMap((of, s) => of.map((size, p) => [`${s + 1}_${p}`, size] as const)))
    const tasks = [...Array.from({ length: stateless }, (_, p) => `0_${p}`), ...sizes.keys()]
    return { tasks, sizes, options: { standbys, maxWarmups, acceptableLag: LAG } }
  })
const groupOf = (size: number) => Array.from({ length: size }, (_, i) => newcomer(`m${i}`))
const groupSize = fc.integer({ min: 1, max: 6 })

describe('rounds of a group with states', () => {
  it('come to rest however members come, go and are interrupted, and are balanced then', () => {
    const event = fc.record({
      kind: fc.constantFrom('join', 'die', 'pass' as const),
      which: fc.nat(),
      read: fc.nat(30_000),
      process: fc.nat(7),
    })
    fc.assert(
      fc.property(world, groupSize, fc.array(event, { maxLength: 12 }), (world, size, events) => {
        let members = settle(groupOf(size), world)
        checkRest(members, world)
        for (const [i, { kind, which, read, process }] of events.entries()) {
          if (kind === 'join' && members.length < 8) members = [...members, newcomer(`n${i}`, `p${process}`)]
          if (kind === 'die' && members.length > 1) members = members.toSpliced(which % members.length, 1)
          const round = roundOf(members, world)
          check(members, round, world)
          members = passed(members, round, world, read)
        }
        checkRest(settle(members, world), world)
      }),
    )
  })

  it('let no state move on a join but what goes to the newcomer', () => {
    fc.assert(
      fc.property(world, groupSize, (world, size) => {
        const before = settle(groupOf(size), world)
        const now = settle([...before, newcomer('new')], world)
        for (const { id, owned } of before) {
          const fresh = now.find((member) => member.id === id)!.owned.filter((task) => !owned.includes(task))
          expect(fresh.filter((task) => world.sizes.has(task))).toEqual([])
        }
      }),
    )
  })

  it('let no more tasks move on a death than the dead member had', () => {
    fc.assert(
      fc.property(world, groupSize, fc.nat(), (world, size, which) => {
        const before = settle(groupOf(size + 1), world)
        const rest = before.toSpliced(which % before.length, 1)
        const now = settle(rest, world)
        const moved = rest.flatMap(({ id, owned }) => {
          const kept = now.find((member) => member.id === id)!.owned
          return owned.filter((task) => !kept.includes(task))
        })
        expect(moved.length).toBeLessThanOrEqual(before[which % before.length].owned.length)
      }),
    )
  })

  it('give the tasks of a dead member at once to those that have their states', () => {
    fc.assert(
      fc.property(world, groupSize, fc.nat(), (world, size, which) => {
        fc.pre(world.options.standbys > 0)
        const before = settle(groupOf(size + 1), world)
        const [dead] = before.splice(which % before.length, 1)
        const { shares, moving } = roundOf(before, world)
        expect(moving.filter((task) => dead.owned.includes(task))).toEqual([])
        for (const task of dead.owned.filter((of) => (world.sizes.get(of) ?? 0) > LAG)) {
          const heir = before.find(({ id }) => shares.get(id)!.active.includes(task))!
          expect([...heir.states.keys()]).toContain(task)
        }
      }),
    )
  })

  it('give a newcomer no large state before it has read it', () => {
    fc.assert(
      fc.property(world, groupSize, (world, size) => {
        const before = settle(groupOf(size), world)
        let now: readonly Member[] = [...before, newcomer('new')]
        for (let rounds = 0; rounds < 3; rounds++) {
          const round = roundOf(now, world)
          const { active } = round.shares.get('new')!
          expect(active.filter((task) => (world.sizes.get(task) ?? 0) > LAG)).toEqual([])
          for (const task of round.moving) expect(world.sizes.get(task) ?? 0).toBeLessThanOrEqual(LAG)
          now = passed(now, round, world, 0)
        }
      }),
    )
  })

  it('do not depend on the order in which the leader has the members', () => {
    fc.assert(
      fc.property(world, groupSize, fc.infiniteStream(fc.nat()), (world, size, random) => {
        const members = passed(groupOf(size), roundOf(groupOf(size), world), world, 12_000)
        const shuffled = [...members, newcomer('new')]
          .map((member) => ({ member, key: random.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ member }) => member)
        const shares = (of: readonly Member[]) => [...nextRound(candidates(of, world, 7), world.options).shares].sort()
        expect(shares(shuffled)).toEqual(shares([...members, newcomer('new')]))
      }),
    )
  })
})

describe('the size of states', () => {
  it('decides between tasks that would balance the numbers alike', () => {
    const sizes = new Map([1, 2, 3, 4].map((n) => [`1_${n}`, n === 4 ? 900 : 100]))
    const world = { tasks: [...sizes.keys()], sizes, options: { standbys: 0, maxWarmups: 2, acceptableLag: LAG } }
    const [a, b] = settle([...settle([newcomer('a')], world), newcomer('b')], world)
    // 900 + 100 against 200 is as near as two and two can be.
    expect([a, b].map(({ owned }) => owned.length)).toEqual([2, 2])
    const weigh = ({ owned }: Member) => owned.reduce((sum, task) => sum + sizes.get(task)!, 0)
    expect([weigh(a), weigh(b)].sort((x, y) => x - y)).toEqual([200, 1000])
  })
})

describe('members of an older version', () => {
  it('are given tasks at once, and no standbys', () => {
    const tasks = ['1_0', '1_1']
    const progress = tasks.map((task) => ({ task, offset: 50_000, end: 50_000 }))
    const owner = { id: 'a', tasks, owned: tasks, generation: 3, stateful: tasks, progress }
    const older = { id: 'b', tasks, owned: [], generation: -1, keepsStandbys: false }
    const { shares, moving } = nextRound([owner, older], { standbys: 1 })
    expect(moving).toHaveLength(1)
    expect(shares.get('b')).toEqual({ active: [], standby: [], warmup: [] })
    // The one that it gives up it may keep as a standby.
    expect(shares.get('a')!.standby).toEqual(moving)
  })
})
