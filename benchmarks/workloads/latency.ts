import { Worker } from 'node:worker_threads'
import { type Log, long, mapValues, type RunOptions, run, stream, string, to, topology } from 'millrace'
import type { Probe, Probed } from '../suite/latency-probe.ts'
import { moduleUrl } from '../suite/module-url.ts'
import { logAt, withLog } from '../suite/place.ts'
import { stopwatch } from '../suite/stopwatch.ts'
import { createTopics, load } from '../suite/topics.ts'
import type { Measured, RunSettings, Workload } from '../suite/workload.ts'

const LOADS = [0.1, 0.5, 0.8]
const COMMIT_INTERVALS_MS = [20, 100, 500]
/** So long is each load kept up. */
const SECONDS = 5
const KEYS = 10_000

const names = ({ id }: RunSettings) => ({ input: `${id}-input`, output: `${id}-output` })

/** Each record goes out again with the time at which it was sent: through the log twice, and one commit. */
const echo = (application: string, { input, output }: ReturnType<typeof names>) =>
  topology(application, [
    stream(input, { key: string(), value: long() }).pipe(
      mapValues((sentAt) => sentAt),
      to(output, { key: string(), value: long() }),
    ),
  ])

const optionsOf = (settings: RunSettings, log: Log, commitIntervalMs: number): RunOptions => ({
  log,
  commitIntervalMs,
  guarantee: settings.guarantee,
  deadLetterTopic: false,
  logger: false,
})

/**
 * From event in to result out, by load and commit interval. First as fast as it goes, then at shares of that; a thread of
 * its own sends and listens. On a log that two processes can use, so not on the embedded one.
 */
export const latency: Workload = {
  name: 'latency',
  summary: 'event in to result out at 10, 50 and 80 % of the measured maximum, by commit interval (Kafka only)',
  records: 1_000_000,
  smokeRecords: 0,
  onLog: true,
  needsKafka: true,
  prepare: (settings) =>
    withLog(settings.place, async (log) => {
      const n = settings.records ?? 1_000_000
      const { input, output } = names(settings)
      const keys = string().open({ topic: input, part: 'key' })
      const values = long().open({ topic: input, part: 'value' })
      const numbers = Array.from({ length: n }, (_, i) => i)
      await load(log, input, numbers, (i, key, value) => {
        keys.encode(`key-${i % KEYS}`, key)
        values.encode(i, value)
        return Date.now()
      })
      await createTopics(log, [output])
      return n
    }),
  async measure(settings) {
    const most = await throughput(settings)
    const lines: Measured[] = [{ ...most, variant: 'latency maximum' }]
    for (const commitIntervalMs of COMMIT_INTERVALS_MS) {
      for (const share of LOADS) lines.push(await latencyAt(settings, share, most.n / most.seconds, commitIntervalMs))
    }
    return lines
  },
  cleanUp: (settings) =>
    withLog(settings.place, async (log) => {
      const { input, output } = names(settings)
      await log.admin.delete([input, output])
    }),
}

async function throughput(settings: RunSettings) {
  const running = await run(echo(settings.id, names(settings)), optionsOf(settings, logAt(settings.place), 100))
  await running.ready()
  const watch = stopwatch(settings.brokerPid)
  await running.caughtUp()
  const measured = watch.read()
  await running.stop()
  return { n: settings.records!, ...measured }
}

async function latencyAt(
  settings: RunSettings,
  share: number,
  most: number,
  commitIntervalMs: number,
): Promise<Measured> {
  const running = await run(
    echo(settings.id, names(settings)),
    optionsOf(settings, logAt(settings.place), commitIntervalMs),
  )
  await running.ready()
  const watch = stopwatch(settings.brokerPid)
  const rate = Math.round(most * share)
  const { n, p50, p99, p999 } = await probe({ place: settings.place, ...names(settings), rate, seconds: SECONDS })
  const measured = watch.read()
  await running.stop()
  const variant = `latency ${share * 100} % commit ${commitIntervalMs} ms`
  return { n, ...measured, variant, rate, p50_ms: p50, p99_ms: p99, p999_ms: p999 }
}

function probe(data: Probe): Promise<Probed> {
  const worker = new Worker(moduleUrl('../suite/latency-probe', import.meta.url), { workerData: data })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`latency: the probe ended without a result (${code})`)))
  })
}
