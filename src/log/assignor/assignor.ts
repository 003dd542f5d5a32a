import { compareIds, compareTasks, parseTask } from './tasks.ts'

/** What the leader knows of a member when it spreads the tasks. */
export interface Candidate {
  readonly id: string
  /** The tasks of this member's topology; it is given no other (topologies differ during a rolling deploy). */
  readonly tasks: readonly string[]
  /** The tasks that it runs, and so has the state of, since `generation` at least. */
  readonly owned: readonly string[]
  readonly generation: number
}

interface Task {
  readonly id: string
  readonly subtopology: string
  /** Place in the order of all tasks. */
  readonly rank: number
  owner: Load | undefined
}

interface Load {
  readonly id: string
  readonly runs: ReadonlySet<string>
  readonly given: Set<Task>
  /** How many of the tasks given belong to each subtopology. */
  readonly perSubtopology: Map<string, number>
}

/**
 * Spreads all tasks over the members: every task goes to exactly one member, no member has two tasks more than another
 * that could run one of them, as few tasks as possible leave the member that had them, and what is then still open is
 * settled so that the partitions of each subtopology are spread evenly. The result depends on the set of candidates
 * only, not on their order. It is where the group is going; see `nextRound` for what may be given out at once.
 */
export function assignTasks(candidates: readonly Candidate[]): Map<string, string[]> {
  const members = [...candidates].sort((a, b) => compareIds(a.id, b.id))
  const loads = members.map(emptyLoad)
  const tasks = allTasks(members)
  findOwners(members, loads, tasks)
  for (const task of tasks) if (task.owner) give(task.owner, task)
  spread(
    tasks.filter(({ owner }) => !owner),
    loads,
  )
  while (moveOne(loads));
  return new Map(loads.map(({ id, given }) => [id, [...given].sort(byRank).map((task) => task.id)]))
}

/**
 * Who runs each task, by what the members say of themselves. When two claim a task the one with the newer generation had
 * it last: the claim of the other comes from before the task was taken from it.
 */
function runningTasks(candidates: readonly Candidate[]): Map<string, string> {
  const owners = new Map<string, Candidate>()
  for (const candidate of [...candidates].sort((a, b) => compareIds(a.id, b.id))) {
    for (const task of candidate.owned) {
      if ((owners.get(task)?.generation ?? -Infinity) < candidate.generation) owners.set(task, candidate)
    }
  }
  return new Map(Array.from(owners, ([task, { id }]) => [task, id]))
}

/** One round of a cooperative rebalance. */
export interface Round {
  /** What each member is to run from now on. */
  readonly active: ReadonlyMap<string, readonly string[]>
  /** Tasks that their members must first give up, and that nobody is given in this round. */
  readonly moving: readonly string[]
}

/**
 * What of the spread can be had at once: a task that another member still runs is given to nobody. Its member finds it
 * missing, commits and stops it, and joins again without it; the next round gives it away. So no task ever has two owners.
 */
export function nextRound(candidates: readonly Candidate[]): Round {
  const owners = runningTasks(candidates)
  const moving: string[] = []
  const active = new Map<string, readonly string[]>()
  for (const [id, tasks] of assignTasks(candidates)) {
    const free = tasks.filter((task) => (owners.get(task) ?? id) === id)
    for (const task of tasks) if (!free.includes(task)) moving.push(task)
    active.set(id, free)
  }
  return { active, moving }
}

function emptyLoad({ id, tasks }: Candidate): Load {
  return { id, runs: new Set(tasks), given: new Set(), perSubtopology: new Map() }
}

function allTasks(members: readonly Candidate[]): Task[] {
  const ids = [...new Set(members.flatMap(({ tasks }) => tasks))].sort(compareTasks)
  return ids.map((id, rank) => ({ id, rank, subtopology: parseTask(id).subtopology, owner: undefined }))
}

/** Notes on each task the member that runs it, if it may go on running it. */
function findOwners(members: readonly Candidate[], loads: readonly Load[], tasks: readonly Task[]): void {
  const owners = runningTasks(members)
  const byId = new Map(loads.map((load) => [load.id, load]))
  for (const task of tasks) {
    const load = byId.get(owners.get(task.id) ?? '')
    if (load?.runs.has(task.id)) task.owner = load
  }
}

/** Gives each open task to the least loaded member that can run it; those that few can run go first. */
function spread(open: readonly Task[], loads: readonly Load[]): void {
  const takers = new Map(open.map((task) => [task, loads.filter(({ runs }) => runs.has(task.id))]))
  const order = [...open].sort((a, b) => takers.get(a)!.length - takers.get(b)!.length || byRank(a, b))
  for (const task of order) {
    let best = takers.get(task)![0]
    for (const load of takers.get(task)!) {
      const lead = load.given.size - best.given.size
      if (lead < 0 || (lead === 0 && count(load, task) < count(best, task))) best = load
    }
    give(best, task)
  }
}

/** Moves one task from a member to another that has at least two fewer: from the fullest to the emptiest if possible. */
function moveOne(loads: readonly Load[]): boolean {
  const byLoad = [...loads].sort((a, b) => b.given.size - a.given.size || compareIds(a.id, b.id))
  for (const from of byLoad) {
    for (let k = byLoad.length - 1; from.given.size - byLoad[k].given.size >= 2; k--) {
      const task = mostMovable(from, byLoad[k])
      if (!task) continue
      take(from, task)
      give(byLoad[k], task)
      return true
    }
  }
  return false
}

/** A task without state here rather than one with; then one of the subtopology that the move evens out most. */
function mostMovable(from: Load, to: Load): Task | undefined {
  let best: Task | undefined
  let bestScore = -Infinity
  for (const task of from.given) {
    if (!to.runs.has(task.id)) continue
    const score = count(from, task) - count(to, task) + (task.owner === from ? 0 : 1e9)
    if (score > bestScore || (score === bestScore && task.rank > best!.rank)) {
      best = task
      bestScore = score
    }
  }
  return best
}

function count({ perSubtopology }: Load, { subtopology }: Task): number {
  return perSubtopology.get(subtopology) ?? 0
}

function give(load: Load, task: Task): void {
  load.given.add(task)
  load.perSubtopology.set(task.subtopology, count(load, task) + 1)
}

function take(load: Load, task: Task): void {
  load.given.delete(task)
  load.perSubtopology.set(task.subtopology, count(load, task) - 1)
}

function byRank(a: Task, b: Task): number {
  return a.rank - b.rank
}
