import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  aggregate,
  count,
  days,
  groupByKey,
  json,
  last,
  map,
  minutes,
  run,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  windowedBy,
} from 'millrace'
import { BatchWriter, memoryLog, partitionFor } from 'millrace/testing'
import { random } from '../suite/random.ts'
import { stopwatch } from '../suite/stopwatch.ts'
import type { Measured, Workload } from '../suite/workload.ts'

/** One point of a series: everything else is as in `BASE`. */
interface Point {
  readonly keys: number
  readonly windows: number
  readonly partitions: number
  /** Bytes of a value. */
  readonly size: number
}

const BASE: Point = { keys: 100_000, windows: 1, partitions: 4, size: 50 }
const SERIES: Readonly<Record<keyof Point, readonly number[]>> = {
  keys: [10_000, 100_000, 1_000_000, 10_000_000],
  windows: [1, 10, 100, 1_000],
  partitions: [1, 4, 16, 64],
  size: [50, 500, 10_000],
}
/** Where records are large, no more than this is put into the log in memory. */
const MOST_BYTES = 400_000_000
const START = 1_750_000_020_000

/**
 * How cost grows: with keys, live windows, partitions and the size of a record, each by itself. On a log in memory, so that
 * only our own work is seen. Cost per record must stay within the price of cache misses; nothing may be quadratic.
 */
export const scale: Workload = {
  name: 'scale',
  summary: 'cost by number of keys, live windows and partitions, and by size of a record; memory per entry',
  records: 2_000_000,
  smokeRecords: 20_000,
  onLog: false,
  async measure({ records, seed }) {
    const lines: Measured[] = []
    for (const [dimension, values] of Object.entries(SERIES)) {
      for (const value of values) {
        const point = { ...BASE, [dimension]: value }
        if (point.keys > records! * 5) continue
        // Large records are fewer, but every key comes at least once.
        const n = Math.max(point.keys, Math.min(records!, Math.floor(MOST_BYTES / (point.size + 40))))
        lines.push({ variant: `scale ${dimension} ${value}`, ...(await measurePoint(point, n, seed)) })
      }
    }
    return lines
  },
}

async function measurePoint(point: Point, n: number, seed: number): Promise<Measured> {
  const log = memoryLog()
  await log.connect()
  const topics = ['in', 'out'].map((topic) => ({ topic, partitions: point.partitions }))
  await log.admin.create(topics)
  await fill(log, point, n, seed)
  const before = heap()
  const watch = stopwatch()
  const running = await run(counting(), { log, guarantee: 'at-least-once', commitIntervalMs: 1000, logger: false })
  await running.ready()
  await running.caughtUp()
  const { seconds, cpu_s } = watch.read()
  let entries = 0
  for (const _ of running.query('per-key')) entries++
  const bytes_per_entry = Math.round((heap() - before) / entries)
  await running.stop()
  return { n, seconds, cpu_s, entries, bytes_per_entry }
}

const counting = () =>
  topology('scale', [
    stream('in', { key: string(), value: string() }).pipe(
      groupByKey(),
      windowedBy(tumbling(minutes(1), { grace: days(1) })),
      aggregate('per-key', { records: count(), newest: last((value) => value.length) }),
      toStream(),
      map((total, { key, window }) => [`${key}@${window.start}`, total]),
      to('out', { key: string(), value: json<{ records: number; newest: number | null } | null>() }),
    ),
  ])

async function fill(
  log: ReturnType<typeof memoryLog>,
  { keys, windows, partitions, size }: Point,
  n: number,
  seed: number,
) {
  const next = random(seed)
  const writers = Array.from({ length: partitions }, () => new BatchWriter())
  const producer = log.producer()
  await producer.init()
  const value = Buffer.alloc(size, 'x')
  const flush = (partition: number) => producer.send('in', partition, writers[partition].finish())
  for (let i = 0; i < n; i++) {
    const key = Buffer.from(`key-${i < keys ? i : next() % keys}`)
    const partition = partitionFor(key, partitions)
    writers[partition].append(START + (next() % windows) * minutes(1), key, value)
    if (writers[partition].size > 100_000) await flush(partition)
  }
  for (const [partition, writer] of writers.entries()) if (writer.count > 0) await flush(partition)
  await producer.close()
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heap(): number {
  collect()
  return process.memoryUsage().heapUsed
}
