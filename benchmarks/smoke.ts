/**
 * `npm run bench:smoke`: every workload still runs, its result is right, and it is not many times slower than it was. Small
 * inputs, on the embedded log. Speed is CPU time per record as a multiple of a calibration loop in the same run, so that
 * it says the same on every machine (`-- --update` prints the table); the bounds are wide, because an input so small is mostly the warm-up of the runtime.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calibration } from './suite/calibration.ts'
import { type Line, runWorkload } from './suite/run-workload.ts'
import { workloads } from './workloads/index.ts'

/** A run may cost so many times what it did when the table was made. */
const TOLERANCE = 5

/** CPU time per record of each line, in calibration units, as measured on 2 shared cores with Node 24 in November 2026. */
const COSTS: Readonly<Record<string, number>> = {
  consume: 21,
  tumbling: 230,
  'tumbling-custom': 280,
  repartition: 420,
  stateless: 170,
  sliding: 600,
  join: 760,
  shop: 1700,
  'nexmark-q0': 280,
  'nexmark-q1': 290,
  'nexmark-q2': 110,
  'nexmark-q3': 190,
  'nexmark-q4': 580,
  'nexmark-q5': 430,
  'nexmark-q7': 370,
  'nexmark-q8': 190,
  'nexmark-q9': 530,
  'nexmark-q11': 440,
  'nexmark-q12': 360,
  'nexmark-q13': 250,
  'nexmark-q16': 420,
  'nexmark-q17': 260,
  'nexmark-q18': 630,
  'nexmark-q19': 210,
  'nexmark-q20': 1600,
  'restore-changelog': 230,
  'restore-snapshot': 280,
  'restore-disk': 310,
  'avro-codec decode': 58,
  'avro-codec decode evolved': 40,
  'avro-codec encode': 33,
  'lake-sink null': 230,
  'lake-sink deflate': 310,
  'clickhouse-sink upsert': 390,
  'clickhouse-sink append': 210,
  'micro-batches': 22,
  'micro-stores': 225,
  'micro-task': 150,
  'micro-windows': 8,
  'scale keys 10000': 420,
  'scale keys 100000': 220,
  'scale windows 1': 170,
  'scale windows 10': 220,
  'scale windows 100': 200,
  'scale windows 1000': 210,
  'scale partitions 1': 200,
  'scale partitions 4': 160,
  'scale partitions 16': 170,
  'scale partitions 64': 210,
  'scale size 50': 180,
  'scale size 500': 210,
  'scale size 10000': 680,
}

/** Each by itself is over in a few milliseconds, which says nothing. */
function together(lines: readonly Line[]): Line {
  const sum = (of: (line: Line) => number) => lines.reduce((total, line) => total + of(line), 0)
  const variant = lines[0].variant.split(' ')[0]
  return { ...lines[0], variant, n: sum(({ n }) => n), cpu_s: sum((line) => line.cpu_s) }
}

const directory = mkdtempSync(join(tmpdir(), 'millrace-smoke-'))
const unit = calibration()
const problems: string[] = []
const measured: Record<string, number> = {}
try {
  for (const workload of workloads.filter(({ needsKafka }) => !needsKafka)) {
    const lines = await runWorkload(
      workload,
      {
        place: { kind: 'embedded', directory },
        id: `smoke-${workload.name}`,
        records: workload.smokeRecords,
        seed: 42,
        guarantee: 'exactly-once',
        commitIntervalMs: 200,
        threads: 1,
        topics: [],
        brokerPid: undefined,
      },
      undefined,
    )
    const ours = lines.filter(({ peer }) => peer === 'millrace')
    for (const { peer, variant, cpu_s, n, ok } of workload.name.startsWith('micro-') ? [together(ours)] : ours) {
      const cost = cpu_s / n / unit
      measured[variant] = Number(cost.toPrecision(2))
      const before = COSTS[variant]
      const verdict = !ok ? 'WRONG' : before === undefined ? 'NEW' : cost > before * TOLERANCE ? 'SLOW' : 'ok'
      console.log(`${verdict.padEnd(6)} ${variant.padEnd(24)} ${cost.toFixed(1)} units a record, was ${before ?? '-'}`)
      if (verdict === 'WRONG' || verdict === 'SLOW') problems.push(`${peer} ${variant}: ${verdict}`)
    }
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
if (process.argv.includes('--update')) console.log(measured)
if (problems.length > 0) {
  console.error(`\nbench:smoke: ${problems.join(', ')}`)
  process.exitCode = 1
}
