/** `npm run bench -- peers`: see `--help`. */
import { readFileSync } from 'node:fs'
import { UsageError } from '../suite/options.ts'
import { runWorkload } from '../suite/run-workload.ts'
import { siteOf } from '../suite/site.ts'
import { type Contest, contestsOf } from './contests.ts'
import { help, type PeersOptions, parse } from './options.ts'
import { build } from './peer.ts'
import { report } from './report.ts'
import type { PeerLine } from './summary.ts'

export async function peers(args: readonly string[]): Promise<number> {
  const options = parse(args)
  if (options === 'help') {
    console.log(help)
    return 0
  }
  const lines = options.from === undefined ? await measured(options) : saved(options.from)
  const text = report(lines, { markdown: options.markdown })
  if (options.json) process.stderr.write(`${text}\n`)
  else console.log(text)
  return lines.every(({ ok }) => ok) ? 0 : 1
}

const saved = (file: string): PeerLine[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))

async function measured(options: PeersOptions): Promise<PeerLine[]> {
  const site = siteOf({ brokers: options.brokers, embedded: false, brokerPid: options.brokerPid })
  if (site.place.kind !== 'kafka') {
    site.close()
    throw new UsageError('the peers need Kafka: npm run services -- up kafka, or --brokers HOST:PORT')
  }
  for (const peer of options.peers) await build(peer)
  const lines: PeerLine[] = []
  for (let round = 0; round < options.rounds; round++) {
    for (const contest of contestsOf(options)) {
      for (const [number, { name, workload, settings, measure }] of inTurn(contest, round).entries()) {
        process.stderr.write(
          `${round + 1}/${options.rounds} ${contest.job}, ${contest.guarantee}, ${name}, ${settings.threads} … `,
        )
        const whole = {
          ...settings,
          place: site.place,
          brokerPid: site.brokerPid,
          id: `peers-${workload.name}-${Date.now().toString(36)}-${round}-${number}`,
          seed: options.seed,
          topics: [],
        }
        for (const line of await runWorkload(workload, whole, measure)) {
          const found = { ...line, job: contest.job, contestant: name, guarantee: contest.guarantee, round }
          lines.push(found)
          if (options.json) console.log(JSON.stringify(found))
          const cost = `${line.cpu_s_per_million.toFixed(2)} CPU s/M`
          process.stderr.write(`${line.records_per_s.toLocaleString('en')}/s, ${cost}${line.ok ? '' : ', WRONG'}\n`)
        }
      }
    }
  }
  return lines
}

/** Nobody is always first: another one in each round. */
function inTurn({ contestants }: Contest, round: number): Contest['contestants'] {
  const first = round % contestants.length
  return [...contestants.slice(first), ...contestants.slice(0, first)]
}
