import { parseArgs } from 'node:util'
import { guarantee, UsageError, whole } from '../suite/options.ts'
import type { Guarantee } from '../suite/workload.ts'
import { comparisons } from './contests.ts'
import { allPeers, type Peer } from './peer.ts'

/** The command line of `npm run bench -- peers`, checked. */
export interface PeersOptions {
  readonly jobs: typeof comparisons
  readonly peers: readonly Peer[]
  readonly peerOptions: readonly string[]
  /** Undefined: those of the job. */
  readonly guarantees: readonly Guarantee[] | undefined
  readonly records: number | undefined
  readonly seed: number
  readonly threads: readonly number[]
  readonly commitIntervalMs: number
  readonly rounds: number
  readonly brokers: readonly string[] | undefined
  readonly brokerPid: number | undefined
  readonly json: boolean
  readonly markdown: boolean
  readonly from: string | undefined
}

export const help = `Runs the same jobs with Millrace, Kafka Streams and Flink, in turns, on the same data, and prints the ratios.

    npm run services -- up kafka
    npm run bench -- peers [job ...] [options]

Jobs (default: all): ${comparisons.map(({ name }) => name).join(', ')}.

  --against P[,P]        ${allPeers.map(({ name }) => name).join(', ')}. Default: both
  --rounds N             everything so many times, in a rotating order; default 3
  --guarantee G          at-least-once | exactly-once; may be repeated. Default: both for tumbling, else at-least-once
  --records N            records of each input. Default: the job's own number, 5,000,000 for most
  --threads N            of each: worker threads, stream threads, parallelism. Default 2; may be repeated: then each
                         is compared with the number with which it is fastest
  --commit-interval MS   of each: commits, checkpoints. Default 1000
  --seed N               of the generator; default 42
  --brokers HOST:PORT    a Kafka cluster; may be repeated. Default: the Kafka of \`npm run services\`
  --broker-pid PID       process on this machine whose CPU time is given as the broker's (Linux)
  --peer-option O=V      passed on to the programs of the peers; may be repeated: see benchmarks/peers/README.md

What is printed: medians, ratios and goals (exit code 1 when a result was wrong).
  --markdown             as tables of Markdown
  --json                 one JSON line per run on stdout, and the tables on stderr
  --from FILE            nothing is run: the tables of lines that --json has printed
  --help

The peers are built with Maven on first use: it needs \`java\` 17 and \`mvn\`.
`

export function parse(args: readonly string[]): PeersOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      against: { type: 'string', multiple: true, default: allPeers.map(({ name }) => name) },
      rounds: { type: 'string', default: '3' },
      guarantee: { type: 'string', multiple: true },
      records: { type: 'string' },
      threads: { type: 'string', multiple: true, default: ['2'] },
      'commit-interval': { type: 'string', default: '1000' },
      seed: { type: 'string', default: '42' },
      brokers: { type: 'string', multiple: true },
      'broker-pid': { type: 'string' },
      'peer-option': { type: 'string', multiple: true, default: [] },
      markdown: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      from: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const named = values.against.flatMap((list) => list.split(','))
  return {
    jobs: positionals.length === 0 ? comparisons : positionals.map((name) => found('job', name, comparisons)),
    peers: named.map((name) => found('peer', name, allPeers)),
    peerOptions: values['peer-option'].flatMap((option) => {
      const [name, ...value] = option.split('=')
      return [`--${name}`, value.join('=')]
    }),
    guarantees: values.guarantee?.map(guarantee),
    records: values.records === undefined ? undefined : whole('--records', values.records),
    seed: whole('--seed', values.seed),
    threads: values.threads.map((n) => whole('--threads', n)),
    commitIntervalMs: whole('--commit-interval', values['commit-interval']),
    rounds: whole('--rounds', values.rounds),
    brokers: values.brokers?.flatMap((list) => list.split(',')),
    brokerPid: values['broker-pid'] === undefined ? undefined : whole('--broker-pid', values['broker-pid']),
    json: values.json,
    markdown: values.markdown,
    from: values.from,
  }
}

function found<T extends { readonly name: string }>(what: string, name: string, all: readonly T[]): T {
  const one = all.find((of) => of.name === name)
  if (one === undefined) throw new UsageError(`no ${what} "${name}"; there are: ${all.map((of) => of.name).join(', ')}`)
  return one
}
