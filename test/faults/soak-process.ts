/**
 * The job of the soak: counts in windows, at a steady rate, and says every second how it does. Its options come as JSON.
 * Ends in good order on SIGTERM; what nobody has handled ends it with code 3.
 */
import { readdirSync, writeSync } from 'node:fs'
import {
  count,
  groupBy,
  json,
  map,
  run,
  seconds,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  windowedBy,
} from '../../src/index.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import { snapshotDirectory } from '../../src/snapshots/index.ts'

export interface SoakOptions {
  readonly application: string
  readonly brokers: readonly string[]
  /** Directory. */
  readonly snapshots: string
}

/** What the process says of itself, every second. */
export interface Sample {
  /** Live objects after a collection, in bytes: what is kept, not what is not collected yet. */
  readonly heap: number
  /** Memory outside of the heap that buffers hold. */
  readonly buffers: number
  /** All memory of the process. */
  readonly rss: number
  readonly descriptors: number
}

const say = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`)
for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error) => {
    say({ unhandled: String(error) })
    process.exit(3)
  })
}

const { application, brokers, snapshots } = JSON.parse(process.argv[2]) as SoakOptions
const counted = stream(`${application}-in`, { key: string(), value: string() }).pipe(
  groupBy((value) => `word-${Number(value) % 100}`),
  windowedBy(tumbling(seconds(5), { grace: seconds(5) })),
  count('counts'),
)
const job = topology(application, [
  counted.pipe(
    untilWindowCloses(),
    map((n, { key, window }) => [`${key}@${window.start}`, n]),
    to(`${application}-finals`, { key: string(), value: json<number>() }),
  ),
  counted.pipe(
    toStream(),
    map((n, { key, window }) => [`${key}@${window.start}`, n]),
    to(`${application}-counts`, { key: string(), value: json<number | null>() }),
  ),
])
const running = await run(job, {
  log: kafka({ brokers }),
  commitIntervalMs: 100,
  snapshots: { to: snapshotDirectory(snapshots), intervalMs: 2_000 },
})
await running.ready()
setInterval(() => {
  global.gc!()
  const { heapUsed: heap, external: buffers, rss } = process.memoryUsage()
  say({ heap, buffers, rss, descriptors: readdirSync('/proc/self/fd').length } satisfies Sample)
}, 1_000).unref()
await running.done
