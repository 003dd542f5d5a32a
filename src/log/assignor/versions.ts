import type { GroupOptions, TaskProgress } from '../log.ts'
import type { Candidate } from './candidate.ts'
import { parseTask } from './tasks.ts'

/** Members whose topologies call the same task the same. */
export interface Aligned {
  readonly members: readonly Candidate[]
  /** What a member calls a task. */
  ownName(member: string, task: string): string
}

/**
 * Tasks are numbered by the plan, and two versions of a topology may number them differently. A task is what it reads: so
 * they are named by that, where members disagree. What one version reads in one task and the other in two is not the same
 * task, and must not run beside it: what runs already goes on, and the members of the other version are given what they read
 * only when nobody has it in the old form any more.
 *
 * Where a member does not say what its tasks read, as members of an older Millrace do, numbers are all there is.
 */
export function align(candidates: readonly Candidate[]): Aligned {
  const numbers = { members: candidates, ownName: (_: string, task: string) => task }
  if (agree(candidates)) return numbers
  const members = candidates.map((candidate) => ({ candidate, names: namesOf(candidate) }))
  const refused = refusedOf(members)
  const back = new Map<string, Map<string, string>>()
  const renamed = members.map(({ candidate, names }): Candidate => {
    const own = new Map<string, string>()
    const rename = (task: string) => {
      const { subtopology, partition } = parseTask(task)
      const name = `${names.get(subtopology) ?? subtopology}_${partition}`
      own.set(name, task)
      return name
    }
    const isAllowed = (task: string) => !refused.has(parseTask(task).subtopology)
    const tasks = candidate.tasks.map(rename).filter(isAllowed)
    back.set(candidate.id, own)
    return {
      ...candidate,
      tasks,
      owned: candidate.owned.map(rename),
      ...(candidate.stateful && { stateful: candidate.stateful.map(rename).filter(isAllowed) }),
      ...(candidate.progress && {
        progress: candidate.progress.map((of): TaskProgress => ({ ...of, task: rename(of.task) })),
      }),
    }
  })
  return { members: renamed, ownName: (member, task) => back.get(member)?.get(task) ?? task }
}

/** What the subtopologies of a member read; undefined where it has not been told. */
export function readsOf({ subtopologies }: Pick<GroupOptions, 'subtopologies'>): Candidate['reads'] {
  if (subtopologies === undefined) return undefined
  return new Map(
    subtopologies.map(({ id, sources, repartitions }) => [id, [...sources, ...repartitions.map(({ topic }) => topic)]]),
  )
}

type Reads = NonNullable<Candidate['reads']>
interface Named {
  readonly candidate: Candidate
  /** By the number of a subtopology. */
  readonly names: ReadonlyMap<string, string>
}

/** No number means one thing here and another there, and nothing is read in two ways. Or: somebody does not say. */
function agree(candidates: readonly Candidate[]): boolean {
  const known = new Map<string, string>()
  const readBy = new Map<string, string>()
  for (const { reads } of candidates) {
    if (reads === undefined) return true
    for (const [subtopology, topics] of reads) {
      const name = nameOf(topics)
      if ((known.get(subtopology) ?? name) !== name) return false
      known.set(subtopology, name)
      for (const topic of topics) {
        if ((readBy.get(topic) ?? subtopology) !== subtopology) return false
        readBy.set(topic, subtopology)
      }
    }
  }
  return true
}

const nameOf = (topics: readonly string[]): string => [...topics].sort().join('+')
const namesOf = ({ reads }: Candidate) =>
  new Map(Array.from(reads as Reads, ([subtopology, topics]) => [subtopology, nameOf(topics)]))

/** Names of those that read what others read in another form; of two such the one that runs stays, or the more common. */
function refusedOf(members: readonly Named[]): Set<string> {
  const forms = new Map<string, { readonly topics: readonly string[]; runs: number; members: number }>()
  for (const { candidate, names } of members) {
    for (const [subtopology, topics] of candidate.reads!) {
      const name = names.get(subtopology)!
      const form = forms.get(name) ?? { topics, runs: 0, members: 0 }
      forms.set(name, form)
      form.members++
      form.runs += candidate.owned.filter((task) => parseTask(task).subtopology === subtopology).length
    }
  }
  const taken = new Set<string>()
  const refused = new Set<string>()
  const byRight = [...forms].sort(([a, x], [b, y]) => y.runs - x.runs || y.members - x.members || (a < b ? -1 : 1))
  for (const [name, { topics }] of byRight) {
    if (topics.some((topic) => taken.has(topic))) refused.add(name)
    else for (const topic of topics) taken.add(topic)
  }
  return refused
}
