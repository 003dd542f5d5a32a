import { filter, firstValueFrom, type Observable } from 'rxjs'
import { MillraceError, toError } from '../errors.ts'
import type { Entry } from '../state/store.ts'
import { plan } from '../topology/plan.ts'
import type { Topology } from '../topology/topology.ts'
import type { CommitStep } from './committer.ts'
import { endWatch } from './end-watch.ts'
import { createGlobals, type Globals } from './globals.ts'
import { createHeapWatch } from './heap.ts'
import { type HealthServer, serveHealth } from './http.ts'
import { loggerOf } from './logger.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { type RunOptions, settingsOf } from './options.ts'
import { patience } from './patience.ts'
import { stopOnSignals } from './signals.ts'
import { createSinks, type OpenSink } from './sinks.ts'
import { createStatus, type RunState } from './status.ts'
import { checkInternalTopics, largestBatches, prepareTopics } from './topics.ts'
import { createWorker, type Worker } from './worker.ts'

/** A running application. */
export interface Running {
  /** What it is doing: phase, tasks, what it waits for. Replays the current state to a new subscriber. */
  readonly state$: Observable<RunState>
  readonly state: RunState
  readonly metrics: Metrics
  /** Port of the health and metrics server, if there is one. */
  readonly httpPort: number | undefined
  /** Resolves when it has stopped in good order; rejects with what it failed of. */
  readonly done: Promise<void>
  /**
   * Commits, leaves the group and closes everything. May be called again. Where the commit has to wait for something
   * that is away, it is given up after `stopTimeoutMs`: nothing is lost, the next start repeats what it would have held.
   */
  stop(): Promise<void>
  /** Resolves when all tasks assigned to this instance are restored and running. */
  ready(): Promise<void>
  /**
   * What a store holds in the tasks that run here, as of now. Throws `INVALID_OPTION` for a store that the topology
   * does not have.
   */
  query<K = unknown, A = unknown>(store: string): Iterable<Pick<Entry<K, A>, 'key' | 'start' | 'value' | 'timestamp'>>
  /**
   * Resolves when the whole group has processed and committed everything that is in the topics it reads: for jobs that
   * end, and for tests.
   */
  caughtUp(): Promise<void>
  /** Records read and not yet processed, over all inputs of the tasks that run here. */
  lag(): number
}

/** For fault injection and simulation: not part of what users are promised. */
export interface RunHooks {
  /** Called before each step of every commit. */
  readonly onStep?: (step: CommitStep) => void | Promise<void>
  /** Awaited when everything is there to join the group. */
  readonly beforeJoin?: () => Promise<void>
  /** Opens something else in place of the sinks that the topology names. */
  readonly openSink?: OpenSink
  /** Draws of the jitter of retries; default `Math.random`. */
  readonly random?: () => number
}

/**
 * Runs a topology until it is stopped.
 *
 * Resolves when the plan stands, the topics are there and the application has begun to join its group; `ready()` tells
 * when its tasks run. Waits, with backoff, while the log, the registry or a sink is away, and says so in `state$`,
 * health and logs.
 *
 * Throws `INVALID_TOPOLOGY`, `INVALID_OPTION`, `MISSING_TOPIC`, `TOPIC_MISMATCH`, `AUTHENTICATION_FAILED`,
 * `PORT_IN_USE`, `DATA_DIRECTORY`; what happens later rejects `done`.
 *
 * @example
 * ```ts
 * const running = await run(shop, { log: kafka({ brokers: ['localhost:9092'] }) })
 * await running.done
 * ```
 */
export async function run(topology: Topology, options: RunOptions, hooks: RunHooks = {}): Promise<Running> {
  const planned = plan(topology)
  const settings = settingsOf(topology.name, options)
  const logger = loggerOf(topology.name, options.logger)
  const status = createStatus()
  const metrics = createMetrics(topology.name, options.metrics)
  const heap = createHeapWatch(logger, settings.clock)
  const watching = status.state$.subscribe(({ phase, waitingFor }) =>
    metrics.phase(phase === 'running', waitingFor.size),
  )
  const abort = new AbortController()
  const patiently = patience(settings.clock, status, logger, abort.signal, hooks.random)
  const { log } = settings
  const observer = { wrote: metrics.sinkWrote, retried: metrics.sinkRetried }
  const sinks = createSinks(topology.name, logger, observer, hooks.openSink)
  let server: HealthServer | undefined
  let worker: Worker
  let globals: Globals | undefined
  const closeAll = async () => {
    await globals?.close()
    await sinks.close()
    await log.close().catch((error) => logger.debug({ err: error }, 'close'))
    settings.snapshots?.to.close()
    settings.state?.close()
    await server?.close()
    watching.unsubscribe()
  }
  try {
    server = options.http && (await serveHealth(options.http, metrics, status))
    if (server) logger.info({ port: server.port }, 'serving /metrics, /healthz and /readyz')
    await patiently('log', () => log.connect())
    if (settings.snapshots) await patiently('snapshots', () => settings.snapshots!.to.open())
    const counts = await patiently('log', () => prepareTopics(log, planned, settings))
    await patiently('log', () => checkInternalTopics(log, planned, counts))
    const largestBatch = await patiently('log', () => largestBatches(log, counts))
    globals = createGlobals({
      sources: planned.globals,
      counts,
      settings,
      log,
      patiently,
      heap,
      logger,
      onRows: metrics.globalRows,
      onSkip: metrics.globalSkipped,
    })
    worker = createWorker({
      plan: planned,
      globals,
      counts,
      largestBatch,
      settings,
      sinks,
      metrics,
      heap,
      status,
      patiently,
      logger,
      signal: abort.signal,
      onStep: hooks.onStep,
      beforeJoin: hooks.beforeJoin,
      random: hooks.random,
    })
  } catch (error) {
    await closeAll()
    throw error
  }

  const live = async () => {
    try {
      await worker.run()
      status.phase('stopped', [])
    } catch (thrown) {
      const error = toError(thrown)
      if (abort.signal.aborted) {
        logger.warn({ err: error }, 'stopped without a last commit: the next start repeats what it would have held')
        status.phase('stopped', [])
        return
      }
      logger.fatal({ err: error }, 'stopped by an error')
      status.failed(error)
      throw error
    } finally {
      await closeAll()
    }
  }
  const ended = new AbortController()
  const done = live().finally(() => ended.abort())
  // Whoever does not look at `done` sees the error in state$ and the log; it must not end the process as unhandled.
  done.catch(() => {})
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= Promise.race([worker.stop(), done]).then(() => done)
    void settings.clock.sleep(settings.stopTimeoutMs, ended.signal).then(() => {
      if (!ended.signal.aborted) abort.abort()
    })
    return stopping
  }
  if (settings.handleSignals) stopOnSignals(stop, () => abort.abort(), done, logger)
  const isOver = done.then(() => {
    throw new MillraceError('CLOSED', 'stopped before it had caught up')
  })
  isOver.catch(() => {})
  const caughtUp = endWatch({
    isAtEnd: () => patiently('log', async () => (await worker.caughtUp()) && globals!.caughtUp()),
    nextCommit: () => worker.nextCommit,
    ended: isOver,
    clock: settings.clock,
  })
  return {
    state$: status.state$,
    get state() {
      return status.current
    },
    metrics,
    httpPort: server?.port,
    done,
    stop,
    ready: async () => {
      const state = await firstValueFrom(
        status.state$.pipe(filter(({ phase }) => phase === 'running' || phase === 'failed' || phase === 'stopped')),
      )
      if (state.phase !== 'running') throw state.error ?? new MillraceError('CLOSED', 'stopped before it was ready')
    },
    *query<K, A>(name: string) {
      const shared = globals?.rows.find(({ source }) => source.spec.name === name)
      if (shared) return yield* shared.store.all() as Iterable<Entry<K, A>>
      const known = planned.subtopologies.some(({ stores }) => stores.some(({ spec }) => spec.name === name))
      if (!known) throw new MillraceError('INVALID_OPTION', `the topology has no store "${name}"`)
      for (const { task } of worker.tasks) {
        for (const { name: of, store } of task.stores) {
          if (of !== name) continue
          // Plain objects, which can be spread and made JSON: an entry of a row reads its value when it is asked.
          for (const { key, start, value, timestamp } of store.all() as Iterable<Entry<K, A>>) {
            yield { key, start, value, timestamp }
          }
        }
      }
    },
    caughtUp,
    lag: () =>
      worker.tasks.reduce(
        (sum, { task }) => sum + task.inputs.reduce((of, input) => of + Math.max(0, input.end - input.position), 0),
        0,
      ),
  }
}
