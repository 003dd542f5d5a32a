/**
 * One instance of a job with much state: what the tests of standbys start and kill. Its options come as JSON:
 * `{ application, brokers, standbys, acceptableLag, sessionTimeoutMs }`. Says on stdout every 100 ms how it is.
 */
import { count, groupByKey, json, run, stream, string, to, topology, toStream } from '../../src/index.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'

export interface KeyedOptions {
  readonly application: string
  readonly brokers: readonly string[]
  readonly standbys: number
  readonly acceptableLag: number
  readonly sessionTimeoutMs: number
}

/** A line on stdout. */
export interface KeyedState {
  readonly phase: string
  readonly tasks: readonly string[]
  readonly standbys: readonly string[]
  /** Of all standbys that are being followed, in offsets. */
  readonly lag: number
  /** How many these are. */
  readonly followed: number
}

const { application, brokers, ...options } = JSON.parse(process.argv[2]) as KeyedOptions
const job = topology(application, [
  stream(`${application}-in`, { key: string(), value: string() }).pipe(
    groupByKey(),
    count('counts'),
    toStream(),
    to(`${application}-out`, { key: string(), value: json<number | null>() }),
  ),
])

const running = await run(job, {
  log: kafka({ brokers, requestTimeoutMs: 5_000 }),
  commitIntervalMs: 100,
  transactionTimeoutMs: 10_000,
  ...options,
})
const telling = setInterval(async () => {
  const { phase, tasks, standbys } = running.state
  const lags = parseMetrics(await running.metrics.text()).filter(({ name }) => name === 'millrace_standby_lag_records')
  const state: KeyedState = {
    phase,
    tasks,
    standbys,
    lag: sumOf(lags, 'millrace_standby_lag_records'),
    followed: lags.length,
  }
  process.stdout.write(`${JSON.stringify(state)}\n`)
}, 100)
await running.done
clearInterval(telling)
