import type { Plan } from '../topology/plan.ts'
import type { OpenTask } from './assignment.ts'
import { type Input, isAtEnd } from './task/input.ts'

/**
 * Tells when a worker has worked off a backlog: what was there when its tasks were opened, or what it could not keep up with
 * since. Its last results need not wait for the commit interval. A worker that finds everything done at its commits has no
 * backlog, however much came in between, and keeps the interval.
 */
export interface Backlog {
  /** Tasks were opened: records may have been waiting for them. */
  mayBegin(): void
  /** What there is has been processed, and was not when the last commit began. To be asked when a worker has nothing to do. */
  isDone(now: number, tasks: readonly OpenTask[]): boolean
  /** A commit begins. */
  committing(now: number, tasks: readonly OpenTask[]): void
}

/**
 * - `behind`: there was more to process when the last commit began, or nobody knows.
 * - `tail`: a backlog was done when the last commit began; what it and others have written to repartition topics is still on its
 *   way, and is part of it until a record of a user's topic comes, or for one commit interval for each step of the way.
 */
type Phase = 'none' | 'behind' | 'tail'

export function createBacklog({ subtopologies }: Plan, commitIntervalMs: number): Backlog {
  const steps = subtopologies.filter(({ sources }) => sources.some(({ from }) => from !== undefined)).length
  let phase: Phase = 'none'
  let tailEnds = 0
  /** Where the inputs were when the last commit of a tail began. */
  let positions: ReadonlyMap<Input, number> = new Map()

  const inputsOf = (tasks: readonly OpenTask[]) => tasks.flatMap(({ task }) => task.inputs)

  function hasTail(now: number, tasks: readonly OpenTask[]): boolean {
    const moved = inputsOf(tasks).filter((of) => of.position !== positions.get(of))
    if (now >= tailEnds || moved.some(({ internal }) => !internal)) phase = 'none'
    return phase === 'tail' && moved.length > 0
  }

  return {
    mayBegin() {
      phase = 'behind'
    },
    isDone: (now, tasks) =>
      (phase === 'behind' || (phase === 'tail' && hasTail(now, tasks))) && tasks.every(isCaughtUp),
    committing(now, tasks) {
      if (!tasks.every(isCaughtUp)) phase = 'behind'
      else if (phase === 'behind') {
        phase = steps > 0 ? 'tail' : 'none'
        tailEnds = now + steps * commitIntervalMs
      }
      if (phase === 'tail') positions = new Map(inputsOf(tasks).map((of) => [of, of.position]))
    },
  }
}

/** A task that waits for a schema has the record in its queue; a planned range has a commit of its own. */
const isCaughtUp = ({ task }: OpenTask) => task.inFlight === 0 && !task.limited && task.inputs.every(isAtEnd)
