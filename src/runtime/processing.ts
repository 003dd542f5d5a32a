import { toError } from '../errors.ts'
import type { Clock } from '../time.ts'
import type { OpenTask } from './assignment.ts'
import type { Patience } from './patience.ts'
import type { Task } from './task/task.ts'

/** How much is processed before the loop looks around again. */
export const SLICE_RECORDS = 4_096
const SLICE_MS = 10

/** What the tasks of a worker do with the records that they have, a slice at a time. */
export interface Processing {
  /** Has tasks process records in turns; returns how many. Those that wait for a schema are left out. */
  slice(running: readonly OpenTask[]): number
  /** Loads beside the loop what blocked tasks wait for: the others go on, and so does the group. */
  loadSchemas(running: readonly OpenTask[]): void
}

/** @param wake - called when a task that waited can go on */
export function createProcessing(clock: Clock, patiently: Patience, wake: () => void): Processing {
  /** Tasks that wait for a schema. */
  const loading = new Set<Task>()
  return {
    slice(running) {
      const until = clock.now() + SLICE_MS
      let done = 0
      for (let moved = true; moved && clock.now() < until; ) {
        moved = false
        for (const { task } of running) {
          if (loading.has(task)) continue
          const records = task.process(SLICE_RECORDS)
          if (records > 0) moved = true
          done += records
        }
      }
      return done
    },
    loadSchemas(running) {
      for (const { task } of running) {
        const load = task.blocked
        if (!load || loading.has(task)) continue
        loading.add(task)
        patiently('registry', load)
          .catch((error) => task.unresolved(toError(error)))
          .finally(() => {
            loading.delete(task)
            wake()
          })
      }
    },
  }
}
