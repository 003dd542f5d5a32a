/** What a worker thread executes: it runs one job, says how that goes, and answers questions about it. */
import { parentPort, workerData } from 'node:worker_threads'
import { MillraceError, toError } from '../../errors.ts'
import { type Running, run } from '../run.ts'
import type { ThreadJobFactory } from './job.ts'
import { type Question, type Questions, sendable, type ThreadMessage, type ThreadStart } from './messages.ts'

const port = parentPort!
const post = (message: ThreadMessage) => port.postMessage(message)

async function jobOf({ job, index, threads, data }: ThreadStart) {
  const module = (await import(job)) as { readonly default?: ThreadJobFactory<unknown> }
  if (typeof module.default !== 'function') {
    throw new MillraceError('INVALID_OPTION', `${job} has no function as its default export`, {
      hint: 'export default ({ data }) => ({ topology, options: { log: … } })',
    })
  }
  return module.default({ index, threads, data })
}

const mayJoin = Promise.withResolvers<void>()

const answers: { readonly [Ask in keyof Questions]: (running: Running, of: Questions[Ask]['of']) => unknown } = {
  join: () => mayJoin.resolve(),
  stop: (running) => {
    mayJoin.resolve()
    return running.stop()
  },
  caughtUp: (running) => running.caughtUp(),
  lag: (running) => running.lag(),
  metrics: (running) => running.metrics.registry.getMetricsAsJSON(),
  query: (running, store) =>
    [...running.query(store)].map(({ key, start, value, timestamp }) => ({ key, start, value, timestamp })),
}

async function answer(running: Running, { id, ask, of }: Question): Promise<void> {
  try {
    post({
      type: 'answer',
      id,
      answer: await (answers[ask] as (running: Running, of: unknown) => unknown)(running, of),
    })
  } catch (error) {
    post({ type: 'refused', id, error: sendable(toError(error)) })
  }
}

async function main(): Promise<void> {
  const start = workerData as ThreadStart
  const { topology, options } = await jobOf(start)
  const instanceId = options.instanceId === undefined ? undefined : `${options.instanceId}-${start.index}`
  const running = await run(
    topology,
    { ...options, instanceId, http: undefined, handleSignals: false },
    {
      beforeJoin() {
        post({ type: 'ready' })
        return mayJoin.promise
      },
    },
  )
  post({ type: 'started', application: topology.name })
  running.state$.subscribe(({ phase, tasks, standbys, waitingFor }) => {
    post({ type: 'state', state: { phase, tasks, standbys, waitingFor } })
  })
  port.on('message', (question: Question) => void answer(running, question))
  await running.done
}

try {
  await main()
  post({ type: 'ended' })
} catch (error) {
  post({ type: 'failed', error: sendable(toError(error)) })
}
// Clients may hold timers; everything has been closed, and the messages so far are delivered.
process.exit(0)
