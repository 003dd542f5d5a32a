import type { Candidate } from './candidate.ts'
import type { States } from './states.ts'
import { compareIds, compareTasks } from './tasks.ts'

/** Where tasks run for now, and where they are warmed up. */
export interface Movements {
  /** By task: the member that is to run it now. */
  readonly active: ReadonlyMap<string, string>
  /** By task: the member that warms it up, to run it when it has caught up. */
  readonly warmups: ReadonlyMap<string, string>
}

/**
 * A task with state goes where it is meant to be when the state is there, or nearly. Until then it stays where it runs, or,
 * where nobody runs it, goes to whoever has most of it; and the member that it is meant for warms it up, a few
 * tasks of the group at a time (KIP-441: acceptable.recovery.lag, max.warmup.replicas).
 *
 * @param target - by task, @param owners - by task, those who may go on running it
 */
export function movements(
  members: readonly Candidate[],
  target: ReadonlyMap<string, string>,
  owners: ReadonlyMap<string, string>,
  states: States,
  maxWarmups: number,
): Movements {
  const active = new Map<string, string>()
  const waiting: string[] = []
  for (const [task, wanted] of target) {
    const better = states.isCaughtUp(wanted, task) ? undefined : (owners.get(task) ?? mostOf(task, members, states))
    active.set(task, better ?? wanted)
    if (better !== undefined && better !== wanted) waiting.push(task)
  }
  // Those that have been begun first.
  const isBegun = (task: string) => (states.has(target.get(task)!, task) ? 0 : 1)
  waiting.sort((a, b) => isBegun(a) - isBegun(b) || compareTasks(a, b))
  return { active, warmups: new Map(waiting.slice(0, maxWarmups).map((task) => [task, target.get(task)!])) }
}

/** The member that has most of the state of a task, if any has some. */
function mostOf(task: string, members: readonly Candidate[], states: States): string | undefined {
  const holders = members.filter(({ id, tasks }) => states.has(id, task) && tasks.includes(task))
  holders.sort((a, b) => states.lag(a.id, task) - states.lag(b.id, task) || compareIds(a.id, b.id))
  return holders[0]?.id
}
