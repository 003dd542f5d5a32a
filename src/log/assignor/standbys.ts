import type { Candidate } from './candidate.ts'
import type { States } from './states.ts'
import { compareIds } from './tasks.ts'

export interface StandbysOptions {
  /** How many for each task. */
  readonly standbys: number
  readonly states: States
  /** Tasks with state, in their order. */
  readonly tasks: readonly string[]
  /** Members that run a task, warm it up, or are about to run it: no standby goes there, nor to the process of the first. */
  takenBy(task: string): readonly string[]
  /** How many states a member has without standbys when all has come to rest. */
  load(member: string): number
}

interface Holder {
  readonly id: string
  readonly process: string
  readonly runs: ReadonlySet<string>
  readonly standbys: Set<string>
  load: number
}

/**
 * Spreads standbys over the members, in processes other than that of the active task and of each other. They stay where
 * the state is, and go to the least loaded otherwise; no member is left with two states more than another that could
 * have one of its standbys.
 */
export function placeStandbys(members: readonly Candidate[], options: StandbysOptions): Map<string, string[]> {
  const { standbys, states, tasks, takenBy, load } = options
  const sorted = [...members].sort((a, b) => compareIds(a.id, b.id))
  const processes = new Map(sorted.map(({ id, processId }) => [id, processId || `member ${id}`]))
  const holders: Holder[] = sorted
    .filter(({ keepsStandbys }) => keepsStandbys !== false)
    .map(({ id, tasks: runs }) => ({
      id,
      process: processes.get(id)!,
      runs: new Set(runs),
      standbys: new Set(),
      load: load(id),
    }))
  const holdersOf = new Map<string, Holder[]>(tasks.map((task) => [task, []]))

  const mayHold = (holder: Holder, task: string, besides?: Holder) => {
    if (!holder.runs.has(task)) return false
    const taken = takenBy(task)
    if (taken.includes(holder.id) || processes.get(taken[0]) === holder.process) return false
    return holdersOf.get(task)!.every((other) => other === besides || other.process !== holder.process)
  }
  const put = (holder: Holder, task: string) => {
    holdersOf.get(task)!.push(holder)
    holder.standbys.add(task)
    holder.load++
  }
  const fill = (task: string, order: (a: Holder, b: Holder) => number, isMeant: (holder: Holder) => boolean) => {
    while (holdersOf.get(task)!.length < standbys) {
      const [best] = holders.filter((holder) => isMeant(holder) && mayHold(holder, task)).sort(order)
      if (!best) return
      put(best, task)
    }
  }
  const behind = ({ id }: Holder, task: string) => (states.isCaughtUp(id, task) ? 0 : states.lag(id, task))

  for (const task of tasks) {
    const stays = (a: Holder, b: Holder) => behind(a, task) - behind(b, task) || a.load - b.load
    fill(task, stays, ({ id }) => states.has(id, task))
  }
  for (const task of tasks) {
    fill(
      task,
      (a, b) => a.load - b.load,
      () => true,
    )
  }
  while (evenOut());
  return new Map(holders.map(({ id, standbys: of }) => [id, tasks.filter((task) => of.has(task))]))

  function evenOut(): boolean {
    const byLoad = [...holders].sort((a, b) => b.load - a.load || compareIds(a.id, b.id))
    for (const from of byLoad) {
      for (let k = byLoad.length - 1; from.load - byLoad[k].load >= 2; k--) {
        const to = byLoad[k]
        const cost = (task: string) => Number(states.has(from.id, task)) - Number(states.has(to.id, task))
        const [task] = [...from.standbys].filter((of) => mayHold(to, of, from)).sort((a, b) => cost(a) - cost(b))
        if (task === undefined) continue
        from.standbys.delete(task)
        from.load--
        holdersOf.set(
          task,
          holdersOf.get(task)!.filter((of) => of !== from),
        )
        put(to, task)
        return true
      }
    }
    return false
  }
}
