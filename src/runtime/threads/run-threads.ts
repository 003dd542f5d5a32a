import type { Logger } from 'pino'
import { AggregatorRegistry, Counter, Registry } from 'prom-client'
import { BehaviorSubject, filter, firstValueFrom, type Observable } from 'rxjs'
import { MillraceError, toError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import { type HealthServer, type ServedMetrics, serveHealth } from '../http.ts'
import { loggerOf } from '../logger.ts'
import { processId } from '../process-id.ts'
import { stopOnSignals } from '../signals.ts'
import type { RunState } from '../status.ts'
import type { StoreRow } from './messages.ts'
import { sharedState } from './shared-state.ts'
import { startingLine } from './starting-line.ts'
import { type WorkerThread, workerThread } from './worker-thread.ts'

/** What is done when a thread fails: everything stops, or another thread takes its place. */
export type OnThreadFailure = 'stop' | 'replace'

export interface ThreadsOptions<Data = undefined> {
  /** How many worker threads; a whole number above 0. More than there are tasks are idle, as further instances are. */
  readonly threads: number
  /** Given to the job in every thread: plain data, which is copied (structured clone). */
  readonly data?: Data
  /**
   * 'stop' (default): the other threads stop in good order and `done` rejects with the failure. 'replace': the others go
   * on, and after a pause (100 ms, doubling up to 10 s) a new thread joins the group. Kafka Streams: the answers
   * SHUTDOWN_CLIENT and REPLACE_THREAD of a StreamsUncaughtExceptionHandler.
   */
  readonly onFailure?: OnThreadFailure | ((failure: Error, index: number) => OnThreadFailure)
  /**
   * Memory of each thread for objects that live for a moment, in MB, of which V8 has two thirds in use at most. Default 48: V8
   * itself would let it grow to 192, where much less is collected in vain. More helps where joins hold many records.
   */
  readonly youngGenerationMb?: number
  /**
   * Memory of each thread for what is held for longer, its state in memory above all, in MB. A thread that needs more ends with
   * `OUT_OF_MEMORY`, or takes the process with it where it needs much at once. Default: V8's, 4 GB or less. Where
   * `--max-old-space-size` is set, that is the limit of each thread, whatever is said here.
   */
  readonly oldGenerationMb?: number
  /** Serves /metrics, /healthz and /readyz for all threads together. Default: no server. */
  readonly http?: { readonly port: number; readonly host?: string }
  /** Of the threads' comings and goings; what a thread itself logs is up to its job. Default: JSON on standard error. */
  readonly logger?: Logger | false
  /** Stop in good order on SIGTERM and SIGINT; a second one ends the threads at once. Default true. */
  readonly handleSignals?: boolean
}

/** An application that runs in worker threads. */
export interface RunningThreads {
  /** Of all threads together: the phase of the one that is least far, the tasks of all. */
  readonly state$: Observable<RunState>
  readonly state: RunState
  readonly metrics: ServedMetrics
  /** Port of the health and metrics server, if there is one. */
  readonly httpPort: number | undefined
  /** Resolves when all threads have stopped in good order; rejects with what the application failed of. */
  readonly done: Promise<void>
  /** Every thread commits, leaves the group and ends. May be called again. */
  stop(): Promise<void>
  /** Resolves when the tasks of all threads are restored and running. */
  ready(): Promise<void>
  /** What a store holds in the tasks that run here, as a copy. Throws as `Running.query` does. */
  query(store: string): Promise<StoreRow[]>
  /** Resolves when the whole group has processed and committed everything that is in the topics it reads. */
  caughtUp(): Promise<void>
  /** Records read and not yet processed, over all threads. */
  lag(): Promise<number>
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
/** A thread that has run for so long was well: the next pause is the first again. */
const WELL_MS = 60_000

/**
 * Runs a job in worker threads, to use more than one core: each thread is a member of the application's group with its
 * own connections and its share of the tasks.
 *
 * A topology holds functions, which cannot be sent to a thread; so each thread imports the module that makes it. `job` is
 * the URL of a module whose default export is a `ThreadJobFactory`: usually a file beside the program.
 *
 * An error in one thread leaves the others alone; `onFailure` says what follows. All run in one process: what ends the
 * process (a segmentation fault, `process.exit`) ends all. The embedded log belongs to one thread (`DATA_DIRECTORY` for
 * the second one). The threads join the group together, when the last of them is ready, so that each has its share from the
 * start; one that takes more than 20 s longer than the first comes later. Resolves when every thread has checked its topology
 * and its topics. Throws `INVALID_OPTION`, and whatever `run` throws in a thread.
 *
 * @example
 * ```ts
 * // shop.job.ts
 * export default ({ data }: Thread<{ brokers: string[] }>): ThreadJob => ({
 *   topology: shop,
 *   options: { log: kafka({ brokers: data.brokers }) },
 * })
 * ```
 * ```ts
 * // main.ts
 * const running = await runThreads(new URL('./shop.job.ts', import.meta.url), {
 *   threads: 4,
 *   data: { brokers: ['localhost:9092'] },
 * })
 * await running.done
 * ```
 */
export async function runThreads<Data = undefined>(
  job: URL,
  {
    threads,
    data,
    onFailure = 'stop',
    youngGenerationMb = 48,
    oldGenerationMb,
    http,
    logger: given,
    handleSignals = true,
  }: ThreadsOptions<Data>,
): Promise<RunningThreads> {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new MillraceError('INVALID_OPTION', `threads must be a whole number above 0, got ${threads}`)
  }
  checkMegabytes('youngGenerationMb', youngGenerationMb)
  if (oldGenerationMb !== undefined) checkMegabytes('oldGenerationMb', oldGenerationMb)
  const state = new BehaviorSubject<RunState>({ phase: 'starting', tasks: [], standbys: [], waitingFor: new Map() })
  const own = new Registry()
  const failures = new Counter({
    name: 'millrace_thread_failures_total',
    help: 'Worker threads that ended with an error',
    registers: [own],
  })
  const all: WorkerThread[] = []
  // Before the threads, which inherit it: to the group they are one process.
  processId()
  const line = startingLine(threads, systemClock)
  const over = new AbortController()
  let failure: Error | undefined
  let isSettled = false

  const tell = () => {
    const next = sharedState(all.map((thread) => thread.state))
    if (isSettled) return
    if (failure) state.next({ ...next, phase: 'failed', error: failure })
    // A thread that failed is not the end of the application: it is replaced, or a failure.
    else state.next(next.phase === 'failed' ? { ...next, phase: 'starting', error: undefined } : next)
  }
  const generations = { youngGenerationMb, oldGenerationMb }
  const start = (index: number) => {
    all[index] = workerThread({ job: job.href, index, threads, data }, generations, {
      onState: tell,
      onReady: () => line.ready(index),
    })
    void all[index].ended.then(() => line.out(index))
  }
  const running = () => all.filter(({ state: { phase } }) => phase !== 'stopped' && phase !== 'failed')
  const stopAll = () => Promise.all(running().map((thread) => thread.ask('stop', undefined).catch(() => {})))
  const terminateAll = () => Promise.all(all.map((thread) => thread.terminate()))

  for (let index = 0; index < threads; index++) start(index)
  let application: string
  let server: HealthServer | undefined
  const metrics: ServedMetrics = { registry: own, text: () => metricsText(running(), own) }
  try {
    ;[application] = await Promise.all(all.map(({ started }) => started))
    server =
      http &&
      (await serveHealth(http, metrics, {
        get current() {
          return state.value
        },
      }))
  } catch (error) {
    over.abort()
    await terminateAll()
    throw error
  }
  const logger = loggerOf(application, given)

  /** Lives as long as there is a thread with this index. */
  async function keep(index: number): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const began = systemClock.now()
      const error = await all[index].ended
      if (error === undefined) return
      failures.inc()
      const answer = over.signal.aborted ? 'stop' : answerTo(error, index)
      logger.error({ err: error, thread: index }, answer === 'stop' ? 'a thread failed: stopping' : 'a thread failed')
      if (answer === 'stop') {
        failure ??= error
        over.abort()
        tell()
        await stopAll()
        return
      }
      if (systemClock.now() - began > WELL_MS) pause = FIRST_PAUSE_MS
      await systemClock.sleep(pause, over.signal)
      if (over.signal.aborted) return
      start(index)
    }
  }
  function answerTo(error: Error, index: number): OnThreadFailure {
    try {
      return typeof onFailure === 'function' ? onFailure(error, index) : onFailure
    } catch (thrown) {
      failure ??= toError(thrown)
      return 'stop'
    }
  }
  async function live(): Promise<void> {
    await Promise.all(all.map((_, index) => keep(index)))
    await server?.close()
    isSettled = true
    state.next({
      phase: failure ? 'failed' : 'stopped',
      tasks: [],
      standbys: [],
      waitingFor: new Map(),
      ...(failure && { error: failure }),
    })
    if (failure) throw failure
  }
  const done = live()
  done.catch(() => {})
  const stop = async () => {
    over.abort()
    await stopAll()
    await done
  }
  if (handleSignals) stopOnSignals(stop, () => void terminateAll(), done, logger)

  return {
    state$: state.asObservable(),
    get state() {
      return state.value
    },
    metrics,
    httpPort: server?.port,
    done,
    stop,
    async ready() {
      const { phase, error } = await firstValueFrom(
        state.pipe(filter((of) => of.phase === 'running' || of.phase === 'failed' || of.phase === 'stopped')),
      )
      if (phase !== 'running') throw error ?? new MillraceError('CLOSED', 'stopped before it was ready')
    },
    async query(store) {
      const rows = await Promise.all(running().map((thread) => thread.ask('query', store)))
      return rows.flat()
    },
    async caughtUp() {
      for (;;) {
        // Each knows whether what it has written can be read.
        const answers = running().map((thread) => thread.ask('caughtUp', undefined))
        const ended = done.then(() => {
          throw new MillraceError('CLOSED', 'stopped before it had caught up')
        })
        ended.catch(() => {})
        // One that was asked may fail and be replaced.
        const notYet = () => systemClock.sleep(FIRST_PAUSE_MS).then(() => false)
        const isAnswered = Promise.all(answers.length > 0 ? answers : [Promise.reject(new Error('nobody to ask'))])
          .then(() => true)
          .catch(notYet)
        if (await Promise.race([isAnswered, ended])) return
      }
    },
    async lag() {
      const lags = await Promise.all(running().map((thread) => thread.ask('lag', undefined)))
      return lags.reduce((sum, lag) => sum + lag, 0)
    },
  }
}

function checkMegabytes(name: string, megabytes: number): void {
  if (!(megabytes > 0)) throw new MillraceError('INVALID_OPTION', `${name} must be above 0, got ${megabytes}`)
}

/** Sums over the threads; one that ends meanwhile is left out. */
async function metricsText(threads: readonly WorkerThread[], own: Registry): Promise<string> {
  const found = await Promise.allSettled(threads.map((thread) => thread.ask('metrics', undefined)))
  const values = found.flatMap((of) => (of.status === 'fulfilled' ? [of.value] : []))
  return Registry.merge([AggregatorRegistry.aggregate(values), own]).metrics()
}
