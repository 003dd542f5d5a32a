import { parseArgs } from 'node:util'
import { REAL_PARTS } from '../common/addresses.ts'
import { whole, wrong } from '../common/options.ts'

export const HELP = `The main job: an e-commerce stream becomes revenue per category and minute in
ClickHouse, alerts on a topic, and raw records in a lake; then everything is
checked against an independent computation.

  npm start -- [options]

--records N     transactions of this run (default 200,000)
--seed S        of the generator (default 42)
--fresh         start over: deletes what the shop keeps in the data directory
--follow        keep running, 1,000 transactions a second, until Ctrl-C
--job-only      only run the job; another instance writes the records
--feed-only     only write the records
--data DIR      where embedded parts and progress are kept (default ./data, or
                ./data/real when a part comes from the environment)
--name NAME     of the application, its topics, its tables and its part of the
                lake (default shop)
--http PORT     serve /metrics, /healthz and /readyz
--instance ID   a fixed name for this instance
--json          print the summary as one JSON object and nothing else
--log           print the log (JSON lines on standard error)
--describe      only say what would run (with --json or --mermaid in that form)

Real parts are used where the environment names them, each alone or together:
KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL, S3_ENDPOINT (+ S3_BUCKET and
the usual AWS variables). "npm run services -- up" starts some and prints them.

A second run goes on with the next transactions; one that was killed is
finished by the next.`

export interface Options {
  readonly records: number
  /** undefined: not given, so that of the runs before. */
  readonly seed: number | undefined
  readonly data: string
  readonly name: string
  readonly http: number | undefined
  readonly instance: string | undefined
  readonly fresh: boolean
  readonly follow: boolean
  readonly role: 'all' | 'job' | 'feed'
  readonly json: boolean
  readonly log: boolean
  readonly describe: boolean
  readonly mermaid: boolean
}

const KNOWN = {
  records: { type: 'string', default: '200000' },
  seed: { type: 'string' },
  data: { type: 'string' },
  name: { type: 'string', default: 'shop' },
  http: { type: 'string' },
  instance: { type: 'string' },
  fresh: { type: 'boolean', default: false },
  follow: { type: 'boolean', default: false },
  'job-only': { type: 'boolean', default: false },
  'feed-only': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  log: { type: 'boolean', default: false },
  describe: { type: 'boolean', default: false },
  mermaid: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** Reads the command line; 'help' when that is what is wanted. Throws `INVALID_OPTION`, which says what to write. */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options | 'help' {
  const args = parse(argv)
  if (args.help) return 'help'
  if (args['job-only'] && args['feed-only']) throw wrong('--job-only and --feed-only', 'give one of the two')
  if (args.fresh && args['job-only']) throw wrong('--fresh and --job-only', 'the instance that writes starts over')
  const real = REAL_PARTS.filter((variable) => env[variable])
  const kept = real.filter((variable) => variable !== 'SCHEMA_REGISTRY_URL')
  if (args.fresh && kept.length > 0) {
    throw wrong(
      `--fresh deletes embedded parts only, and ${kept.join(', ')} names a real one`,
      'start over under a name of its own instead: --name shop-2',
    )
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(args.name)) {
    throw wrong(`--name ${args.name}`, "letters, digits, '.', '_' and '-'")
  }
  return {
    records: whole('--records', args.records, 1, 2 ** 40),
    seed: args.seed === undefined ? undefined : whole('--seed', args.seed, 0, 2 ** 32 - 1),
    data: args.data ?? (real.length === 0 ? 'data' : 'data/real'),
    name: args.name,
    http: args.http === undefined ? undefined : whole('--http', args.http, 0, 65_535),
    instance: args.instance,
    fresh: args.fresh,
    follow: args.follow,
    role: args['job-only'] ? 'job' : args['feed-only'] ? 'feed' : 'all',
    json: args.json,
    log: args.log,
    describe: args.describe,
    mermaid: args.mermaid,
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: KNOWN }).values
  } catch (error) {
    throw wrong((error as Error).message.split('. ')[0], '"npm start -- --help" lists what there is')
  }
}
