import type { TaskProgress } from '../log.ts'
import type { Candidate } from './candidate.ts'

/** Where the state of which task is. */
export interface States {
  isStateful(task: string): boolean
  /** About how large a state is: where its changelogs end, summed up; 0 when nobody knows. */
  weight(task: string): number
  /** The member has some of it. */
  has(member: string, task: string): boolean
  /** What the member would have to read before it could run the task: all of it, where it has nothing. */
  lag(member: string, task: string): number
  /** It may run the task at once. */
  isCaughtUp(member: string, task: string): boolean
}

export function statesOf(members: readonly Candidate[], acceptableLag: number): States {
  const stateful = new Set(members.flatMap((member) => member.stateful ?? []))
  const cannotWarmUp = new Set(members.filter(({ keepsStandbys }) => keepsStandbys === false).map(({ id }) => id))
  const progress = new Map<string, ReadonlyMap<string, TaskProgress>>()
  const weights = new Map<string, number>()
  for (const member of members) {
    const mine = member.progress ?? []
    progress.set(member.id, new Map(mine.map((of) => [of.task, of])))
    for (const { task, end } of mine) weights.set(task, Math.max(end, weights.get(task) ?? 0))
  }
  const weight = (task: string) => weights.get(task) ?? 0
  // By its own account of the end: what others say of it they said at another moment.
  const lag = (member: string, task: string) => {
    const of = progress.get(member)?.get(task)
    return of === undefined ? weight(task) : Math.max(0, of.end - of.offset)
  }
  return {
    isStateful: (task) => stateful.has(task),
    weight,
    has: (member, task) => progress.get(member)?.has(task) ?? false,
    lag,
    isCaughtUp: (member, task) => cannotWarmUp.has(member) || lag(member, task) <= acceptableLag,
  }
}
