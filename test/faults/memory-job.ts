/** The newest value of each key. */
import { join } from 'node:path'
import {
  aggregate,
  groupByKey,
  json,
  last,
  stream,
  string,
  type Thread,
  type ThreadJob,
  to,
  topology,
  toStream,
} from '../../src/index.ts'
import { embedded } from '../../src/log/embedded/embedded.ts'
import { diskState } from '../../src/state/disk/sqlite.ts'

export interface MemoryJobData {
  readonly directory: string
  readonly disk?: boolean
}

export const memoryJob = ({ directory, disk = false }: MemoryJobData): ThreadJob => ({
  topology: topology('memory', [
    stream('in', { key: string(), value: string() }).pipe(
      groupByKey(),
      aggregate('newest', { value: last((value) => value) }),
      toStream(),
      to('out', { key: string(), value: json() }),
    ),
  ]),
  options: {
    log: embedded(join(directory, 'log')),
    commitIntervalMs: 100,
    handleSignals: false,
    ...(disk && { state: diskState(join(directory, 'state'), { cacheBytes: 1024 * 1024 }) }),
  },
})

export default ({ data }: Thread<MemoryJobData>): ThreadJob => memoryJob(data)
