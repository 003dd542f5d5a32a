import type { StandbyOptions } from '../log.ts'
import { assignTasks } from './assignor.ts'
import { type Candidate, runningTasks } from './candidate.ts'
import { placeStandbys } from './standbys.ts'
import { statesOf } from './states.ts'
import { compareIds } from './tasks.ts'
import { align } from './versions.ts'
import { movements } from './warm-ups.ts'

/** What one member is to do from now on. */
export interface Share {
  readonly active: readonly string[]
  readonly standby: readonly string[]
  readonly warmup: readonly string[]
}

/** One round of a cooperative rebalance. */
export interface Round {
  readonly shares: ReadonlyMap<string, Share>
  /** Tasks that their members must first give up, and that nobody is given in this round. */
  readonly moving: readonly string[]
  /** Copies that were asked for and that no member could be found for. */
  readonly missingStandbys: number
}

/**
 * What of the spread can be had at once. A task that another member still runs is given to nobody: its member finds it
 * missing, commits and stops it, and joins again without it; the next round gives it away. So no task ever has two owners.
 * A task whose state is not yet where it is meant to be stays, and is warmed up there.
 */
export function nextRound(candidates: readonly Candidate[], options: StandbyOptions = {}): Round {
  const { members, ownName } = align(candidates)
  const round = roundOf(members, options)
  const shares = Array.from(round.shares, ([id, { active, standby, warmup }]) => {
    const own = (tasks: readonly string[]) => tasks.map((task) => ownName(id, task))
    return [id, { active: own(active), standby: own(standby), warmup: own(warmup) }] as const
  })
  return { ...round, shares: new Map(shares) }
}

function roundOf(
  candidates: readonly Candidate[],
  { standbys = 0, maxWarmups = 2, acceptableLag = 10_000 }: StandbyOptions,
): Round {
  const members = [...candidates].sort((a, b) => compareIds(a.id, b.id))
  const states = statesOf(members, acceptableLag)
  const running = runningTasks(members)
  const target = memberOf(assignTasks(members, states))
  const canRun = new Map(members.map(({ id, tasks }) => [id, new Set(tasks)]))
  const owners = new Map([...running].filter(([task, id]) => canRun.get(id)!.has(task)))
  const { active, warmups } = movements(members, target, owners, states, maxWarmups)

  const moving = [...active].filter(([task, id]) => (running.get(task) ?? id) !== id).map(([task]) => task)
  // Where a task is expected its state is kept, or begun: the next round finds it there, and little is left to read.
  const keeps = new Set(members.filter(({ keepsStandbys }) => keepsStandbys !== false).map(({ id }) => id))
  const expected = moving.filter((task) => states.isStateful(task) && keeps.has(active.get(task)!))
  const warm = new Map([...warmups, ...expected.map((task) => [task, active.get(task)!] as const)])
  const stateful = [...active.keys()].filter(states.isStateful)
  const loads = new Map(members.map(({ id }) => [id, 0]))
  for (const task of stateful) loads.set(target.get(task)!, loads.get(target.get(task)!)! + 1)
  const standby = placeStandbys(members, {
    standbys,
    states,
    tasks: stateful,
    takenBy: (task) => [active.get(task)!, ...(warm.has(task) ? [warm.get(task)!] : [])],
    load: (id) => loads.get(id)!,
  })

  const tasksOf = (of: ReadonlyMap<string, string>, member: string) =>
    [...of].filter(([, id]) => id === member).map(([task]) => task)
  const shares = members.map(({ id }) => {
    const share: Share = {
      active: tasksOf(active, id).filter((task) => (running.get(task) ?? id) === id),
      standby: standby.get(id) ?? [],
      warmup: tasksOf(warm, id),
    }
    return [id, share] as const
  })
  const copies = shares.reduce((sum, [, share]) => sum + share.standby.length, 0) + warm.size
  return { shares: new Map(shares), moving, missingStandbys: Math.max(0, stateful.length * standbys - copies) }
}

function memberOf(assignment: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  return new Map([...assignment].flatMap(([id, tasks]) => tasks.map((task) => [task, id] as const)))
}
