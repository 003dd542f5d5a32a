/** The job of `--threads`: each thread finds its workload by name. */
import type { Thread, ThreadJob } from 'millrace'
import { loadWorkload } from '../workloads/load.ts'
import type { RunSettings } from './workload.ts'

export default async ({
  data,
}: Thread<{ readonly workload: string; readonly settings: RunSettings }>): Promise<ThreadJob> =>
  (await loadWorkload(data.workload)).threadJob!(data.settings)
