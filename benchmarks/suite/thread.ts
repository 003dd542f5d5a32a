/** The job of `--threads`: each thread finds its workload by name. */
import type { Log, Thread, ThreadJob } from 'millrace'
import { loadWorkload } from '../workloads/load.ts'
import { startOnce } from './stopwatch.ts'
import type { RunSettings } from './workload.ts'

export interface ThreadData {
  readonly workload: string
  readonly settings: RunSettings
  /** Where the first thread that reads notes the time: one may work while the others are still starting. */
  readonly board: SharedArrayBuffer
}

export default async ({ data: { workload, settings, board } }: Thread<ThreadData>): Promise<ThreadJob> => {
  const { topology, options } = (await loadWorkload(workload)).threadJob!(settings)
  const log = beforeReading(options.log, () => startOnce(board, settings.brokerPid))
  return { topology, options: { ...options, log } }
}

/** Calls `begin` before the first fetch of each reader. */
const beforeReading = (log: Log, begin: () => void): Log => ({
  ...log,
  reader(options) {
    const reader = log.reader(options)
    let hasBegun = false
    return {
      ...reader,
      fetch(positions, fetchOptions) {
        if (!hasBegun && positions.length > 0) {
          hasBegun = true
          begin()
        }
        return reader.fetch(positions, fetchOptions)
      },
    }
  },
})
