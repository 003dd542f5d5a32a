import { inOwnProcess, type Measure } from '../suite/run-workload.ts'
import type { Guarantee, RunSettings, Workload } from '../suite/workload.ts'
import { joinJob } from '../workloads/join.ts'
import { repartitionJob } from '../workloads/repartition.ts'
import { restores } from '../workloads/restore.ts'
import { slidingJob } from '../workloads/sliding.ts'
import { statelessJob } from '../workloads/stateless.ts'
import { tumblingJob } from '../workloads/tumbling.ts'
import { tumblingCustomJob } from '../workloads/tumbling-custom.ts'
import { withFirstResult } from './first-result.ts'
import type { PeersOptions } from './options.ts'
import { inJvm } from './run-peer.ts'

/** What is compared: a job of Millrace's, and others of Millrace's that belong beside it. */
interface Comparison {
  readonly name: string
  readonly workload: Workload
  /** The job as the peers' programs know it, where it has another name there. */
  readonly program?: string
  readonly beside?: readonly Workload[]
  readonly guarantees: readonly Guarantee[]
  readonly records?: number
  readonly commitIntervalMs?: number
  /** It only reads what was prepared, so that once is enough for all. */
  readonly onlyReads?: boolean
}

const both: readonly Guarantee[] = ['at-least-once', 'exactly-once']
const atLeastOnce: readonly Guarantee[] = ['at-least-once']
const restore = (kind: string) => restores.find(({ name }) => name === `restore-${kind}`)!

export const comparisons: readonly Comparison[] = [
  { name: 'tumbling', workload: tumblingJob, beside: [tumblingCustomJob], guarantees: both },
  { name: 'repartition', workload: repartitionJob, guarantees: atLeastOnce },
  { name: 'stateless', workload: statelessJob, guarantees: atLeastOnce },
  { name: 'sliding', workload: slidingJob, guarantees: atLeastOnce },
  { name: 'join', workload: joinJob, guarantees: atLeastOnce },
  {
    name: 'restore',
    workload: restore('changelog'),
    beside: [restore('disk')],
    guarantees: atLeastOnce,
    onlyReads: true,
  },
  // A start is cold: a short input, and a commit so often that it is not the commit that is waited for.
  {
    name: 'first-result',
    program: 'tumbling',
    workload: tumblingJob,
    guarantees: atLeastOnce,
    records: 100_000,
    commitIntervalMs: 100,
  },
]

/** One after the other on the same input. */
export interface Contest {
  readonly job: string
  readonly guarantee: Guarantee
  readonly contestants: readonly Contestant[]
  /** What the contestants of a round share, where they only read; each has its own otherwise. */
  readonly prepared?: Workload
}

export interface Contestant {
  readonly name: string
  readonly workload: Workload
  readonly settings: Pick<RunSettings, 'guarantee' | 'threads' | 'records' | 'commitIntervalMs'>
  readonly measure: Measure
}

export const contestsOf = (options: PeersOptions): Contest[] =>
  options.jobs.flatMap((job) =>
    (options.guarantees ?? job.guarantees).map((guarantee) => ({
      job: job.name,
      guarantee,
      ...(job.onlyReads && { prepared: job.workload }),
      contestants: options.threads.flatMap((threads) => contestantsOf(job, guarantee, threads, options)),
    })),
  )

function contestantsOf(job: Comparison, guarantee: Guarantee, threads: number, options: PeersOptions): Contestant[] {
  const settings = {
    guarantee,
    threads,
    records: job.records ?? options.records,
    commitIntervalMs: job.commitIntervalMs ?? options.commitIntervalMs,
  }
  // Who restores has written results before.
  const observed = (measure: Measure) => (job.workload === restore('changelog') ? measure : withFirstResult(measure))
  const own = [job.workload, ...(job.beside ?? [])].map((workload) => ({
    name: workload === job.workload ? 'millrace' : workload.name,
    workload,
    settings,
    measure: observed(inOwnProcess()),
  }))
  const others = options.peers
    .filter(({ jobs }) => jobs.includes(job.name))
    .map((peer) => ({
      name: peer.name,
      workload: job.workload,
      settings,
      measure: observed(inJvm(peer, job.program ?? job.name, options.peerOptions)),
    }))
  return [...own, ...others]
}
