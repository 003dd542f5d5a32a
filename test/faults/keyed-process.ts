/**
 * One instance of a job with much state: what the tests of standbys start and kill. Its options come as JSON:
 * `{ application, brokers, protocol, standbys, acceptableLag, sessionTimeoutMs }`. Says on stdout every 100 ms how it is.
 * After SIGUSR2 it reads no more for its standbys, until it has to restore one of them.
 */
import { once } from 'node:events'
import { count, groupByKey, json, run, stream, string, to, topology, toStream } from '../../src/index.ts'
import { type KafkaOptions, kafka } from '../../src/log/kafka/index.ts'
import type { Log, LogReader } from '../../src/log/log.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'

export interface KeyedOptions {
  readonly application: string
  readonly brokers: readonly string[]
  readonly protocol: KafkaOptions['protocol']
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
  /** By task: where its standby has stopped reading, and its first read after that. */
  readonly stoppedAt: Readonly<Record<string, number>>
  readonly wentOnAt: Readonly<Record<string, number>>
}

const { application, brokers, protocol, ...options } = JSON.parse(process.argv[2]) as KeyedOptions
const job = topology(application, [
  stream(`${application}-in`, { key: string(), value: string() }).pipe(
    groupByKey(),
    count('counts'),
    toStream(),
    to(`${application}-out`, { key: string(), value: json<number | null>() }),
  ),
])

const changelog = `${application}-counts-changelog`
const stoppedAt: Record<string, number> = {}
const wentOnAt: Record<string, number> = {}
let isStopped = false
process.on('SIGUSR2', () => {
  isStopped = true
})

/** Who follows standbys can be interrupted, and who restores cannot: see `FetchOptions.signal`. */
const stoppable = (reader: LogReader): LogReader => ({
  async fetch(positions, how) {
    const wanted = isStopped ? positions.filter(({ topic }) => topic === changelog) : []
    if (wanted.length === 0) return reader.fetch(positions, how)
    if (how.signal) {
      for (const { partition, offset } of wanted) stoppedAt[`0_${partition}`] = offset
      if (!how.signal.aborted) await once(how.signal, 'abort')
      return []
    }
    for (const { partition, offset } of wanted) wentOnAt[`0_${partition}`] ??= offset
    return reader.fetch(positions, how)
  },
  close: () => reader.close(),
})
const connected = kafka({ brokers, protocol, requestTimeoutMs: 5_000 })
const log: Log = { ...connected, reader: (how) => stoppable(connected.reader(how)) }

const running = await run(job, {
  log,
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
    stoppedAt,
    wentOnAt,
  }
  process.stdout.write(`${JSON.stringify(state)}\n`)
}, 100)
await running.done
clearInterval(telling)
