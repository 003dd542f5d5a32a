import { type Candidate, runningTasks } from './candidate.ts'
import { type States, statesOf } from './states.ts'
import { compareIds, compareTasks, parseTask } from './tasks.ts'

interface Task {
  readonly id: string
  readonly subtopology: string
  /** Place in the order of all tasks. */
  readonly rank: number
  readonly isStateful: boolean
  readonly weight: number
  /** Who runs it, or else has its state: it goes on there if balance allows. */
  home: Load | undefined
  isRunning: boolean
}

/** What a member has been given so far. */
interface Load {
  readonly id: string
  readonly runs: ReadonlySet<string>
  readonly given: Set<Task>
  /** How many of the tasks given belong to each subtopology. */
  readonly perSubtopology: Map<string, number>
  /** Of all states given. */
  weight: number
}

/**
 * Spreads all tasks over the members: every task goes to exactly one member, no member has two tasks more than another
 * that could run one of them, nor two tasks with state more, as few tasks as possible leave the member that has their
 * state, and what is then still open is settled so that the partitions of each subtopology, and the sizes of the states, are
 * spread evenly. The result depends on the set of candidates only, not on their order. It is where the group is
 * going; see `nextRound` for what may be given out at once.
 */
export function assignTasks(
  candidates: readonly Candidate[],
  states: States = statesOf(candidates, Number.POSITIVE_INFINITY),
): Map<string, string[]> {
  const members = [...candidates].sort((a, b) => compareIds(a.id, b.id))
  const loads = members.map(emptyLoad)
  const tasks = allTasks(members, states)
  // Those with state first, as if there were no others; the others then fill up.
  for (const isStateful of [true, false]) {
    const some = tasks.filter((task) => task.isStateful === isStateful)
    findHomes(members, loads, some, states)
    spread(
      some.filter(({ home }) => !home),
      loads,
    )
    while (moveOne(loads, states, isStateful));
  }
  return new Map(loads.map(({ id, given }) => [id, [...given].sort(byRank).map((task) => task.id)]))
}

function emptyLoad({ id, tasks }: Candidate): Load {
  return { id, runs: new Set(tasks), given: new Set(), perSubtopology: new Map(), weight: 0 }
}

function allTasks(members: readonly Candidate[], states: States): Task[] {
  const ids = [...new Set(members.flatMap(({ tasks }) => tasks))].sort(compareTasks)
  return ids.map((id, rank) => ({
    id,
    rank,
    subtopology: parseTask(id).subtopology,
    isStateful: states.isStateful(id),
    weight: states.weight(id),
    home: undefined,
    isRunning: false,
  }))
}

/** Gives each task to the member that runs it, or else to one that has its state, the least loaded of them. */
function findHomes(
  members: readonly Candidate[],
  loads: readonly Load[],
  tasks: readonly Task[],
  states: States,
): void {
  const owners = runningTasks(members)
  const byId = new Map(loads.map((load) => [load.id, load]))
  for (const task of tasks) {
    const owner = byId.get(owners.get(task.id) ?? '')
    if (!owner?.runs.has(task.id)) continue
    task.isRunning = true
    give((task.home = owner), task)
  }
  for (const task of tasks) {
    if (task.home || !task.isStateful) continue
    for (const load of loads) {
      if (!load.runs.has(task.id) || !states.has(load.id, task.id) || !states.isCaughtUp(load.id, task.id)) continue
      if (task.home === undefined || load.given.size < task.home.given.size) task.home = load
    }
    if (task.home) give(task.home, task)
  }
}

/** Gives each open task to the least loaded member that can run it; those that few can run go first, then the large ones. */
function spread(open: readonly Task[], loads: readonly Load[]): void {
  const takers = new Map(open.map((task) => [task, loads.filter(({ runs }) => runs.has(task.id))]))
  const order = [...open].sort(
    (a, b) => takers.get(a)!.length - takers.get(b)!.length || b.weight - a.weight || byRank(a, b),
  )
  for (const task of order) {
    const [best] = [...takers.get(task)!].sort(
      (a, b) => a.given.size - b.given.size || count(a, task) - count(b, task) || a.weight - b.weight,
    )
    give(best, task)
  }
}

/** Moves one task from a member to another that has at least two fewer: from the fullest to the emptiest if possible. */
function moveOne(loads: readonly Load[], states: States, isStateful: boolean): boolean {
  const byLoad = [...loads].sort((a, b) => b.given.size - a.given.size || compareIds(a.id, b.id))
  for (const from of byLoad) {
    for (let k = byLoad.length - 1; from.given.size - byLoad[k].given.size >= 2; k--) {
      const task = mostMovable(from, byLoad[k], states, isStateful)
      if (!task) continue
      take(from, task)
      give(byLoad[k], task)
      return true
    }
  }
  return false
}

/**
 * A task whose state is not here, then one that does not run here, then one whose state is there; among those one of the
 * subtopology that the move evens out most, and then one whose size does.
 */
function mostMovable(from: Load, to: Load, states: States, isStateful: boolean): Task | undefined {
  let best: Task | undefined
  let bestScore = -Infinity
  let bestGap = 0
  for (const task of from.given) {
    if (task.isStateful !== isStateful || !to.runs.has(task.id)) continue
    const ease = task.home !== from ? 3 : !task.isRunning ? 2 : task.isStateful && states.has(to.id, task.id) ? 1 : 0
    const score = ease * 1e6 + count(from, task) - count(to, task)
    const gap = Math.abs(from.weight - to.weight - 2 * task.weight)
    const isBetter = score - bestScore || bestGap - gap || task.rank - (best?.rank ?? -1)
    if (isBetter <= 0) continue
    best = task
    bestScore = score
    bestGap = gap
  }
  return best
}

function count({ perSubtopology }: Load, { subtopology }: Task): number {
  return perSubtopology.get(subtopology) ?? 0
}

function give(load: Load, task: Task): void {
  load.given.add(task)
  load.weight += task.weight
  load.perSubtopology.set(task.subtopology, count(load, task) + 1)
}

function take(load: Load, task: Task): void {
  load.given.delete(task)
  load.weight -= task.weight
  load.perSubtopology.set(task.subtopology, count(load, task) - 1)
}

function byRank(a: Task, b: Task): number {
  return a.rank - b.rank
}
