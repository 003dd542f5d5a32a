import { parseArgs } from 'node:util'
import type { Guarantee, Workload } from './workload.ts'

/** The command line, checked. */
export interface Options {
  readonly workloads: readonly Workload[]
  /** Undefined: the Kafka of this checkout if it is up, else embedded. */
  readonly brokers: readonly string[] | undefined
  readonly embedded: boolean
  readonly brokerPid: number | undefined
  readonly records: number | undefined
  readonly smoke: boolean
  readonly seed: number
  readonly guarantees: readonly Guarantee[]
  readonly commitIntervalMs: number
  readonly threads: readonly number[]
  readonly topics: readonly string[]
  readonly rounds: number
  readonly json: boolean
  readonly profile: string | undefined
}

export const help = (workloads: readonly Workload[]): string => `Measures Millrace.

    npm run bench -- [workload ...] [options]

Workloads (default: all that read a log):
${workloads.map(({ name, summary }) => `  ${name.padEnd(14)} ${summary}`).join('\n')}

\`nexmark\` is all of its queries.

Where the log is (default: the Kafka of \`npm run services\` if it is up, else embedded):
  --brokers HOST:PORT    a Kafka cluster; may be repeated
  --embedded             the embedded log, in a directory that is deleted afterwards
  --broker-pid PID       process on this machine whose CPU time is given as broker_cpu_s (Linux); known by
                         itself for the Kafka of \`npm run services\`

What is run:
  --records N            records of each input; default: as many as --topic holds, or the workload's own number
  --topic T              a topic to read, filled first if it does not exist; again for the second input of a join.
                         Default: bench-<input>-<records>-<seed>, which stays for the next run
  --seed N               of the generator; default 42
  --guarantee G          at-least-once | exactly-once; may be repeated. Default: at-least-once
  --commit-interval MS   default 1000
  --threads N            worker threads; may be repeated. Default 1
  --rounds N             everything so many times, in turns; default 1
  --smoke                small inputs

What is printed: a table with medians, and whether results are right (exit code 1 when one is not).
  --json                 one JSON line per run instead: peer, variant, guarantee, n, seconds, records_per_s, cpu_s,
                         broker_cpu_s, rss_mb, outputs, checksum, ok, and more
  --profile DIR          a .cpuprofile of each measured process
  --help

Time runs from the moment the tasks run until the group has committed the end of the input. Each run is a process of
its own, under a new application name; its output is read back and compared with an independent computation. It runs
JavaScript, compiled when a source has changed.
`

export class UsageError extends Error {}

export function parse(args: readonly string[], all: readonly Workload[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      brokers: { type: 'string', multiple: true },
      embedded: { type: 'boolean', default: false },
      'broker-pid': { type: 'string' },
      records: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      seed: { type: 'string', default: '42' },
      guarantee: { type: 'string', multiple: true, default: ['at-least-once'] },
      'commit-interval': { type: 'string', default: '1000' },
      threads: { type: 'string', multiple: true, default: ['1'] },
      topic: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  if (values.embedded && values.brokers) throw new UsageError('--embedded or --brokers, not both')
  return {
    workloads:
      positionals.length === 0 ? all.filter(({ onLog }) => onLog) : positionals.flatMap((name) => find(name, all)),
    brokers: values.brokers?.flatMap((list) => list.split(',')),
    embedded: values.embedded,
    brokerPid: values['broker-pid'] === undefined ? undefined : whole('--broker-pid', values['broker-pid']),
    records: values.records === undefined ? undefined : whole('--records', values.records),
    smoke: values.smoke,
    seed: whole('--seed', values.seed),
    guarantees: values.guarantee.map(guarantee),
    commitIntervalMs: whole('--commit-interval', values['commit-interval']),
    threads: values.threads.map((n) => whole('--threads', n)),
    topics: values.topic,
    rounds: whole('--rounds', values.rounds),
    json: values.json,
    profile: values.profile,
  }
}

/** A workload by its name, or all of a family: `nexmark` is `nexmark-q0` and so on. */
function find(name: string, all: readonly Workload[]): readonly Workload[] {
  const exact = all.filter((workload) => workload.name === name)
  const found = exact.length > 0 ? exact : all.filter((workload) => workload.name.startsWith(`${name}-`))
  if (found.length === 0)
    throw new UsageError(`no workload "${name}"; there are: ${all.map((of) => of.name).join(', ')}`)
  return found
}

export function whole(option: string, text: string): number {
  const n = Number(text.replaceAll('_', ''))
  if (!Number.isSafeInteger(n) || n < 1) throw new UsageError(`${option} must be a whole number above 0, got ${text}`)
  return n
}

export function guarantee(text: string): Guarantee {
  if (text === 'at-least-once' || text === 'exactly-once') return text
  throw new UsageError(`--guarantee is at-least-once or exactly-once, got ${text}`)
}
