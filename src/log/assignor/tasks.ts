/** A task id taken apart: 'subtopology_partition' as in the plan. An id of another form is a subtopology of its own. */
export interface TaskParts {
  readonly subtopology: string
  readonly partition: number
}

const taskPattern = /^(.*)_(\d{1,9})$/s
const runPattern = /^(.*)_(\d{1,9})-(\d{1,9})$/s
/** More partitions than any topic has: a longer run is garbage, and is not expanded. */
const longestRun = 100_000

export function parseTask(id: string): TaskParts {
  const match = taskPattern.exec(id)
  return match ? { subtopology: match[1], partition: Number(match[2]) } : { subtopology: id, partition: 0 }
}

/** By subtopology, then partition; the same on every machine, whatever its locale. */
export function compareTasks(a: string, b: string): number {
  const x = parseTask(a)
  const y = parseTask(b)
  return compareIds(x.subtopology, y.subtopology) || x.partition - y.partition || compareIds(a, b)
}

/** Shorter first, so that numbers come in their order. */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}

/**
 * Sorted task ids with runs of partitions written as one: `['0_0', '0_1', '0_2', '1_0']` becomes `['0_0-2', '1_0']`.
 * The broker keeps what every member sends in one record of at most 1 MB, so the task lists must stay short.
 */
export function packTasks(ids: Iterable<string>): string[] {
  const packed: string[] = []
  let run: { subtopology: string; first: number; last: number } | undefined
  const flush = () => {
    if (run) packed.push(`${run.subtopology}_${run.first}${run.last > run.first ? `-${run.last}` : ''}`)
    run = undefined
  }
  for (const id of [...new Set(ids)].sort(compareTasks)) {
    const { subtopology, partition } = parseTask(id)
    if (`${subtopology}_${partition}` !== id) {
      flush()
      packed.push(id)
    } else if (run && run.subtopology === subtopology && run.last + 1 === partition) {
      run.last = partition
    } else {
      flush()
      run = { subtopology, first: partition, last: partition }
    }
  }
  flush()
  return packed
}

/** The inverse of `packTasks`; what is not a string is left out. */
export function unpackTasks(packed: readonly unknown[]): string[] {
  const ids: string[] = []
  for (const entry of packed) {
    if (typeof entry !== 'string') continue
    const match = runPattern.exec(entry)
    if (!match) {
      ids.push(entry)
      continue
    }
    const first = Number(match[2])
    const last = Number(match[3])
    if (last - first >= longestRun) continue
    for (let partition = first; partition <= last; partition++) ids.push(`${match[1]}_${partition}`)
  }
  return ids
}
