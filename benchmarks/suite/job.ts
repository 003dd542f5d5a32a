import {
  type Plan,
  plan,
  type Running,
  type RunningThreads,
  run,
  runThreads,
  type SchemaRegistry,
  type ThreadJob,
  type Topology,
} from 'millrace'
import { filter, firstValueFrom } from 'rxjs'
import { type InputTopic, prepareInputs, topicOf } from '../transactions/inputs.ts'
import type { ReadResults } from '../transactions/results.ts'
import type { Checksum } from './checksum.ts'
import { moduleUrl } from './module-url.ts'
import { logAt, withLog } from './place.ts'
import { startBoard, startedStopwatch } from './stopwatch.ts'
import type { ThreadData } from './thread.ts'
import { createTopics, recordsIn } from './topics.ts'
import type { Measured, RunSettings, Workload } from './workload.ts'

/** Names of one run of a job. */
export interface JobNames {
  readonly application: string
  /** In the order of the job's inputs. */
  readonly inputs: readonly string[]
  readonly output: string
}

/** A topology over the transactions of a shop, and what its output must be. */
export interface Job extends Pick<Workload, 'name' | 'summary' | 'records' | 'smokeRecords' | 'nodeOptions'> {
  readonly inputs: readonly InputTopic[]
  topology(names: JobNames): Topology
  registry(): SchemaRegistry
  readonly read: ReadResults
  reference(n: number, seed: number): Checksum
}

/** A job as a workload: from the moment its tasks run until its group has committed the end of the input. */
export function job(of: Job): Workload {
  return {
    ...of,
    onLog: true,
    topicsOf: (settings) => namesOf(of, settings, settings.records!),
    threadJob: (settings) => threadJob(of, settings),
    prepare: (settings) =>
      withLog(settings.place, async (log) => {
        const given = settings.topics[0] === undefined ? undefined : await recordsIn(log, settings.topics[0])
        const n = settings.records ?? given ?? of.records
        await prepareInputs(log, of.inputs, settings, n)
        await createTopics(log, [namesOf(of, settings, n).output])
        return n
      }),
    measure: async (settings) => [await measure(of, settings)],
    check: (settings) =>
      withLog(settings.place, async (log) => {
        const expected = of.reference(settings.records!, settings.seed)
        const { outputs, checksum } = await of.read(log, namesOf(of, settings, settings.records!).output)
        const ok = checksum.rows === expected.rows && `${checksum}` === `${expected}`
        return { outputs, checksum: `${checksum}`, ok }
      }),
    cleanUp: (settings) =>
      withLog(settings.place, async (log) => {
        const names = namesOf(of, settings, settings.records!)
        await log.admin.delete([names.output, ...internalTopics(plan(of.topology(names)))])
      }),
  }
}

/** The clock starts with the first task of any thread, and stops when the group has committed the end of the input. */
async function measure(of: Job, settings: RunSettings): Promise<Measured> {
  const { threads, brokerPid } = settings
  const board = startBoard()
  const running = threads === 1 ? await runHere(of, settings) : await runInThreads(of, settings, board)
  await firstValueFrom(running.state$.pipe(filter(({ tasks }) => tasks.length > 0)))
  const watch = startedStopwatch(board, brokerPid)
  await running.caughtUp()
  const measured = watch.read()
  await running.stop()
  return { n: settings.records!, ...measured }
}

function runHere(of: Job, settings: RunSettings): Promise<Running> {
  const { topology, options } = threadJob(of, settings)
  return run(topology, options)
}

function runInThreads(of: Job, settings: RunSettings, board: SharedArrayBuffer): Promise<RunningThreads> {
  const data: ThreadData = { workload: of.name, settings, board }
  return runThreads(moduleUrl('./thread', import.meta.url), { threads: settings.threads, data, logger: false })
}

/** What each thread runs. */
function threadJob(of: Job, settings: RunSettings): ThreadJob {
  const { guarantee, commitIntervalMs, place } = settings
  return {
    topology: of.topology(namesOf(of, settings, settings.records!)),
    options: {
      log: logAt(place),
      registry: of.registry(),
      guarantee,
      commitIntervalMs,
      deadLetterTopic: false,
      logger: false,
    },
  }
}

function namesOf(of: Job, settings: RunSettings, n: number): JobNames {
  return {
    application: settings.id,
    inputs: of.inputs.map((_, index) => topicOf(of.inputs, index, settings, n)),
    output: `${settings.id}-output`,
  }
}

const internalTopics = ({ subtopologies }: Plan): string[] =>
  subtopologies.flatMap(({ sources, stores }) => [
    ...sources.flatMap(({ topic, from }) => (from === undefined ? [] : [topic])),
    ...stores.flatMap(({ changelog }) => changelog ?? []),
  ])
