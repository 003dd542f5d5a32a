/** `npm run bench -- peers`: see `--help`. */
import { readFileSync } from 'node:fs'
import { UsageError } from '../suite/options.ts'
import { prepare, runPrepared, runWorkload } from '../suite/run-workload.ts'
import { type Site, siteOf } from '../suite/site.ts'
import type { RunSettings } from '../suite/workload.ts'
import { type Contest, type Contestant, contestsOf } from './contests.ts'
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
  const { lines, failed } =
    options.from === undefined ? await measured(options) : { lines: saved(options.from), failed: 0 }
  const text = report(lines, { markdown: options.markdown })
  if (options.json) process.stderr.write(`${text}\n`)
  else console.log(text)
  return failed === 0 && lines.every(({ ok }) => ok) ? 0 : 1
}

const saved = (file: string): PeerLine[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))

/** All rounds. A run that fails is told, and the others go on. */
async function measured(options: PeersOptions): Promise<{ readonly lines: PeerLine[]; readonly failed: number }> {
  const site = siteOf({ brokers: options.brokers, embedded: false, brokerPid: options.brokerPid })
  if (site.place.kind !== 'kafka') {
    site.close()
    throw new UsageError('the peers need Kafka: npm run services -- up kafka, or --brokers HOST:PORT')
  }
  for (const peer of options.peers) await build(peer)
  const lines: PeerLine[] = []
  let failed = 0
  for (let round = 0; round < options.rounds; round++) {
    for (const contest of contestsOf(options)) {
      const turns = inTurn(contest, round)
      const where = `${round + 1}/${options.rounds} ${contest.job}, ${contest.guarantee}`
      const prepared = contest.prepared && (await prepare(contest.prepared, given(turns[0], site, options.seed)))
      for (const contestant of turns) {
        const { name, settings } = contestant
        process.stderr.write(`${where}, ${name}, threads: ${settings.threads} … `)
        try {
          for (const line of await runOnce(contestant, site, options.seed, prepared)) {
            const found = { ...line, job: contest.job, contestant: name, guarantee: contest.guarantee, round }
            lines.push(found)
            process.stderr.write(`${outcome(found)}\n`)
            if (options.json) console.log(JSON.stringify(found))
          }
        } catch (error) {
          failed++
          process.stderr.write(`FAILED\n${error instanceof Error ? error.message : error}\n`)
        }
      }
      if (prepared) await contest.prepared!.cleanUp?.(prepared)
    }
  }
  return { lines, failed }
}

const outcome = ({ records_per_s, cpu_s_per_million, ok }: PeerLine): string =>
  `${records_per_s.toLocaleString('en')}/s, ${cpu_s_per_million.toFixed(2)} CPU s/M${ok ? '' : ', WRONG'}`

const given = ({ workload, settings }: Contestant, { place, brokerPid }: Site, seed: number): RunSettings => ({
  ...settings,
  place,
  brokerPid,
  id: `peers-${workload.name}-${Date.now().toString(36)}`,
  seed,
  topics: [],
})

const runOnce = (contestant: Contestant, site: Site, seed: number, prepared: RunSettings | undefined) =>
  prepared
    ? runPrepared(
        contestant.workload,
        { ...prepared, ...contestant.settings, records: prepared.records },
        contestant.measure,
      )
    : runWorkload(contestant.workload, given(contestant, site, seed), contestant.measure)

/** Nobody is always first: another one in each round. */
function inTurn({ contestants }: Contest, round: number): Contest['contestants'] {
  const first = round % contestants.length
  return [...contestants.slice(first), ...contestants.slice(0, first)]
}
