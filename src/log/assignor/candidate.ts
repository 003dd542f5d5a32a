import type { TaskProgress } from '../log.ts'

/** What the leader knows of a member when it spreads the tasks. */
export interface Candidate {
  readonly id: string
  /** The tasks of this member's topology; it is given no other (topologies differ during a rolling deploy). */
  readonly tasks: readonly string[]
  /** Topics that each subtopology of its topology reads, by its number; absent: it does not say. See versions.ts. */
  readonly reads?: ReadonlyMap<string, readonly string[]>
  /** The tasks that it runs, and so has the state of, since `generation` at least. */
  readonly owned: readonly string[]
  readonly generation: number
  /** Members of one process die together. Absent or empty: it is a process of its own. */
  readonly processId?: string
  /** Those of `tasks` that have state. Default: none. */
  readonly stateful?: readonly string[]
  /** How far it has the state of tasks, whether it runs them or not. */
  readonly progress?: readonly TaskProgress[]
  /** false: a member of an older version, which would pass over standbys. */
  readonly keepsStandbys?: boolean
}

/**
 * Who runs each task, by what the members say of themselves. When two claim a task the one with the newer generation had
 * it last: the claim of the other comes from before the task was taken from it.
 */
export function runningTasks(candidates: readonly Candidate[]): Map<string, string> {
  const owners = new Map<string, Candidate>()
  for (const candidate of candidates) {
    for (const task of candidate.owned) {
      if ((owners.get(task)?.generation ?? -Infinity) < candidate.generation) owners.set(task, candidate)
    }
  }
  return new Map(Array.from(owners, ([task, { id }]) => [task, id]))
}
