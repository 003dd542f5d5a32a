import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candidate } from '../../../src/log/assignor/candidate.ts'
import { nextRound } from '../../../src/log/assignor/round.ts'
import { parseTask } from '../../../src/log/assignor/tasks.ts'

/** Two versions of a topology in one group, which call one task by two names, or two tasks by one. */

const PARTITIONS = 4
/** What each version reads, by the numbers of its subtopologies. */
type Version = Readonly<Record<string, readonly string[]>>

const member = (id: string, version: Version): Candidate => {
  const tasks = Object.keys(version).flatMap((of) => Array.from({ length: PARTITIONS }, (_, n) => `${of}_${n}`))
  return { id, tasks, stateful: tasks, reads: new Map(Object.entries(version)), owned: [], generation: -1 }
}

/** Who reads each partition of each topic. */
function readers(members: readonly Candidate[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { id, owned, reads } of members) {
    for (const task of owned) {
      const { subtopology, partition } = parseTask(task)
      for (const topic of reads!.get(subtopology)!) {
        const key = `${topic}/${partition}`
        found.set(key, [...(found.get(key) ?? []), id])
      }
    }
  }
  return found
}

/** Rounds until nothing moves any more; in none of them a partition has two readers. */
function settled(members: readonly Candidate[], from: number): Candidate[] {
  let now = [...members]
  for (let generation = from; generation < from + 10; generation++) {
    const { shares } = nextRound(now, { standbys: 1, acceptableLag: 10 })
    // First all give up what they are to give up; only then they are given more.
    const kept = now.map((of) => ({
      ...of,
      owned: of.owned.filter((task) => shares.get(of.id)!.active.includes(task)),
    }))
    const next = now.map((of) => ({ ...of, generation, owned: shares.get(of.id)!.active }))
    for (const of of next) for (const task of of.owned) expect(of.tasks).toContain(task)
    for (const of of next) {
      for (const task of [...shares.get(of.id)!.standby, ...shares.get(of.id)!.warmup]) expect(of.tasks).toContain(task)
    }
    for (const [partition, by] of [...readers(kept), ...readers(next)]) expect(by, partition).toHaveLength(1)
    if (JSON.stringify(next.map(({ owned }) => owned)) === JSON.stringify(now.map(({ owned }) => owned))) return next
    now = next
  }
  throw new Error('they do not settle')
}

const all = (...topics: readonly string[]) =>
  topics.flatMap((topic) => Array.from({ length: PARTITIONS }, (_, n) => `${topic}/${n}`)).sort()
const read = (members: readonly Candidate[]) => [...readers(members).keys()].sort()

const V1: Version = { 0: ['in'], 1: ['words'] }

describe('two versions of a topology', () => {
  it('that number what they have in common differently read each partition once', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(['in', 'words', 'more'], { minLength: 3 }),
        fc.nat(3),
        fc.nat(3),
        (order, a, b) => {
          const v2: Version = Object.fromEntries(order.map((topic, i) => [`${i}`, [topic]]))
          const old = settled(
            Array.from({ length: a + 1 }, (_, i) => member(`old-${i}`, V1)),
            1,
          )
          expect(read(old)).toEqual(all('in', 'words'))
          const both = settled([...old, ...Array.from({ length: b + 1 }, (_, i) => member(`new-${i}`, v2))], 20)
          expect(read(both)).toEqual(all('in', 'words', 'more'))
          const rest = settled(both.slice(a + 1), 40)
          expect(read(rest)).toEqual(all('in', 'words', 'more'))
        },
      ),
    )
  })

  it.each<[string, Version, Version]>([
    ['in one task what the other reads in two', { 0: ['in'], 1: ['words'] }, { 0: ['in', 'words'] }],
    ['in two tasks what the other reads in one', { 0: ['in', 'words'] }, { 0: ['words'], 1: ['in'] }],
    ['another topic in the same task', { 0: ['in'], 1: ['words'] }, { 0: ['in', 'more'], 1: ['words'] }],
  ])('of which the newer reads %s: it waits until the older has gone', (_, v1, v2) => {
    const old = settled([member('old-0', v1), member('old-1', v1)], 1)
    const both = settled([...old, member('new', v2)], 20)
    expect(read(both)).toEqual(all('in', 'words'))
    const topics = Object.values(v2).flat()
    const apart = new Set(topics.filter((topic) => !Object.values(v1).some((of) => of.includes(topic))))
    for (const [partition, [by]] of readers(both)) if (apart.has(partition.split('/')[0])) expect(by).toBe('new')
    const rest = settled(both.slice(2), 40)
    expect(read(rest)).toEqual(all(...topics))
  })

  it('of which one does not say what it reads are known by their numbers alone', () => {
    const { reads: _, ...silent } = member('silent', V1)
    const { shares } = nextRound([silent, member('new', V1)])
    expect([...shares.values()].flatMap(({ active }) => active).sort()).toEqual(silent.tasks.toSorted())
  })
})
