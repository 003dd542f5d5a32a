import type { TaskProgress } from '../../log/log.ts'
import type { Plan } from '../../topology/plan.ts'
import { openStores, type StoresEnvironment, type TaskStores } from '../task/stores.ts'

/**
 * The stores of a task and how far its changelogs are in them. A state is older than its task where it was a standby, and
 * outlives it where it becomes one.
 */
export interface TaskState {
  /** Of the task: 'subtopology_partition'. */
  readonly id: string
  readonly partition: number
  readonly stores: TaskStores
  /** By changelog: offset of the first record that is not in its store. One that is not in it has not been begun. */
  readonly positions: Map<string, number>
}

/** Subtopology and partition of a task. */
export function partsOf(id: string): readonly [subtopology: number, partition: number] {
  const [subtopology, partition] = id.split('_').map(Number)
  return [subtopology, partition]
}

/** An empty one. */
export function openState(id: string, plan: Plan, environment: StoresEnvironment): TaskState {
  const [subtopology, partition] = partsOf(id)
  const stores = openStores(plan.subtopologies[subtopology], partition, environment)
  return { id, partition, stores, positions: new Map() }
}

export function changelogsOf({ stores }: TaskState): string[] {
  return stores.all.flatMap(({ changelog }) => changelog ?? [])
}

/** @param endOf - where a changelog ends; it ends where the state is, if nobody knows better */
export function progressOf(state: TaskState, endOf: (changelog: string) => number = () => 0): TaskProgress {
  let offset = 0
  let end = 0
  for (const changelog of changelogsOf(state)) {
    const position = state.positions.get(changelog) ?? 0
    offset += position
    end += Math.max(position, endOf(changelog))
  }
  return { task: state.id, offset, end }
}
