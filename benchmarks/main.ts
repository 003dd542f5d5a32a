/** `npm run bench`: see `--help`. */
import { peers } from './peers/main.ts'
import { help, type Options, parse, UsageError } from './suite/options.ts'
import { table } from './suite/report.ts'
import { inOwnProcess, type Line, runWorkload } from './suite/run-workload.ts'
import { type Site, siteOf } from './suite/site.ts'
import type { RunSettings, Workload } from './suite/workload.ts'
import { consume } from './workloads/consume.ts'
import { workloads } from './workloads/index.ts'

/** What is run in one round: each workload under each circumstance that matters to it. */
function* runsOf(options: Options, site: Site, round: number): Generator<[Workload, RunSettings]> {
  const { records, smoke, seed, commitIntervalMs, topics, guarantees, threads } = options
  const jobs = options.workloads.filter(({ name }) => name !== consume.name)
  // The ceiling belongs to the same run: a ratio carries over between machines, records per second do not.
  const all = options.workloads.some(({ onLog }) => onLog) ? [consume, ...jobs] : jobs
  let number = 0
  for (const workload of all) {
    if (workload.needsKafka && site.place.kind !== 'kafka') {
      process.stderr.write(`${workload.name}: left out, it needs Kafka\n`)
      continue
    }
    const isPlain = !workload.onLog || workload === consume
    for (const guarantee of isPlain ? guarantees.slice(0, 1) : guarantees) {
      for (const count of isPlain ? [1] : threads) {
        yield [
          workload,
          {
            place: site.place,
            brokerPid: site.brokerPid,
            id: `bench-${workload.name}-${Date.now().toString(36)}-${round}-${number++}`,
            records: records ?? (smoke ? workload.smokeRecords : undefined),
            seed,
            guarantee,
            commitIntervalMs,
            threads: count,
            topics,
          },
        ]
      }
    }
  }
}

async function main([...args]: readonly string[]): Promise<number> {
  if (args[0] === 'peers') return peers(args.slice(1))
  const options = parse(args, workloads)
  if (options === 'help') {
    console.log(help(workloads))
    return 0
  }
  const site = siteOf(options)
  const lines: Line[] = []
  try {
    for (let round = 0; round < options.rounds; round++) {
      for (const [workload, settings] of runsOf(options, site, round)) {
        if (!options.json) process.stderr.write(`${workload.name} …\n`)
        for (const line of await runWorkload(workload, settings, inOwnProcess(options.profile))) {
          lines.push(line)
          if (options.json) console.log(JSON.stringify(line))
        }
      }
    }
  } finally {
    site.close()
  }
  if (!options.json) console.log(table(lines))
  return lines.every(({ ok }) => ok) ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof TypeError && 'code' in error)) throw error
  console.error(`${error.message}\n\n    npm run bench -- --help`)
  process.exitCode = 2
}
