import { parseArgs } from 'node:util'
import { MillraceError } from 'millrace'

export interface Options {
  readonly records: number
  readonly seed: number
  readonly name: string
  readonly data: string | undefined
  readonly describe: boolean
  readonly log: boolean
}

export function helpFor(name: string, about: string, records: number): string {
  return `${about.trim()}

  npm run ${name} -- [options]

--records N     how many are made (default ${records.toLocaleString('en-US')})
--seed S        of the generator (default 42)
--name NAME     of the application, its topics, tables and part of the lake
                (default ${name})
--data DIR      where embedded parts are kept (default data/NAME, or
                data/real/NAME when a part comes from the environment)
--describe      only say what would run
--log           print the log (JSON lines on standard error)

Real parts are used where the environment names them, each alone or together:
KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL, S3_ENDPOINT (+ S3_BUCKET and
the usual AWS variables). "npm run services -- up" starts some and prints them.

On embedded parts alone every run begins anew. On real ones a run that was cut
short is finished by the next; other records need another --name.`
}

/** Reads the command line; 'help' when that is what is wanted. Throws `INVALID_OPTION`, which says what to write. */
export function readOptions(argv: readonly string[], name: string, records: number): Options | 'help' {
  const args = parse(argv, name)
  if (args.help) return 'help'
  const own = args.name ?? name
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(own)) throw wrong(`--name ${own}`, "letters, digits, '.', '_' and '-'")
  return {
    records: args.records === undefined ? records : whole('--records', args.records, 100, 10_000_000),
    seed: args.seed === undefined ? 42 : whole('--seed', args.seed, 0, 2 ** 32 - 1),
    name: own,
    data: args.data,
    describe: args.describe,
    log: args.log,
  }
}

function parse(argv: readonly string[], name: string) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        records: { type: 'string' },
        seed: { type: 'string' },
        name: { type: 'string' },
        data: { type: 'string' },
        describe: { type: 'boolean', default: false },
        log: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw wrong((error as Error).message.split('. ')[0], `"npm run ${name} -- --help" lists what there is`)
  }
}

export function whole(name: string, text: string, least: number, most: number): number {
  const plain = text.replace(/[,_]/g, '')
  const n = Number(plain)
  if (/^\d+$/.test(plain) && n >= least && n <= most) return n
  throw wrong(`${name} ${text}`, `a whole number from ${least} to ${most}`)
}

export const wrong = (what: string, hint: string) => new MillraceError('INVALID_OPTION', what, { hint })
