/** The job of `--threads`: each thread finds its workload by name. */
import type { Thread, ThreadJob } from 'millrace'
import { workloads } from '../workloads/index.ts'
import type { RunSettings } from './workload.ts'

export default ({ data }: Thread<{ readonly workload: string; readonly settings: RunSettings }>): ThreadJob =>
  workloads.find(({ name }) => name === data.workload)!.threadJob!(data.settings)
