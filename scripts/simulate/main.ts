/** `npm run simulate`: many seeded runs in virtual time, with faults everywhere; each must end as a quiet run does. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { ALL_FAULTS } from 'millrace/testing'
import { CASES } from './cases/index.ts'
import { addAll, type Share, type Tried, trySeeds } from './seeds.ts'
import { NO_SEED, watched } from './watched.ts'

const HELP = `Runs topologies in virtual time over a log in memory while things go wrong, and
compares what comes out with a run in which nothing does.

  npm run simulate -- [--runs N] [--seed S] [--case NAME] [--threads N] [--patience S] [--trace]

--runs     seeds to try for each case, default 100
--seed     the first seed, default 1; one run alone unless --runs is given. 'random': somewhere
--case     ${CASES.map(({ name }) => name).join(', ')}; default all
--threads  default: one for each core
--patience real seconds after which a run that gets no further is ended and has failed, default 60
--trace    print every call and every fault

Ends with how often each fault was injected and what the log and the sinks saw of it, and
with "N passed, N failed"; a failure prints the command that replays it. A fault that was
never injected is a failure too.`

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string', default: process.env.MILLRACE_SEED },
    case: { type: 'string' },
    threads: { type: 'string' },
    patience: { type: 'string', default: '60' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
})
const chosen = CASES.filter(({ name }) => values.case === undefined || name === values.case)
const first = values.seed === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed ?? 1)
const runs = Number(values.runs ?? (values.seed === undefined ? 100 : 1))
const patienceMs = Number(values.patience) * 1_000
const threads = values.trace ? 0 : Math.min(Number(values.threads ?? availableParallelism()), runs * chosen.length)
if (values.help || chosen.length === 0 || ![first, runs, threads, patienceMs].every(Number.isInteger)) {
  console.log(HELP)
  process.exit(values.help ? 0 : 2)
}

/** So many seeds at a time: small enough that the threads end together. */
const SHARE = 25
/** With fewer runs than this, that a fault was not injected is chance. */
const ENOUGH_RUNS = 1_000
const SHOW_EVERY_MS = 10_000
/** Young objects are nearly all that a run makes: with more room for them, fewer are looked at. */
const YOUNG_MB = 64

const NOTHING = { injected: new Map<string, number>(), observed: new Map<string, number>() }

const injected = new Map<string, number>()
const observed = new Map<string, number>()
const done = new Map<string, { seeds: number; ms: number; failed: number }>()
const began = Date.now()
let shown = began

const shares = chosen.flatMap(({ name }) =>
  Array.from({ length: Math.ceil(runs / SHARE) }, (_, i): Share => {
    const from = first + i * SHARE
    return { name, first: from, end: Math.min(from + SHARE, first + runs), trace: values.trace }
  }),
)
await Promise.all(threads === 0 ? [alone()] : Array.from({ length: threads }, thread))
process.exit(report() ? 0 : 1)

async function alone(): Promise<void> {
  for (const share of shares) take(await trySeeds(share))
}

async function thread(): Promise<void> {
  const thread = watched({ script: new URL('./seeds.ts', import.meta.url), patienceMs, youngMb: YOUNG_MB })
  for (let share = shares.shift(); share !== undefined; share = shares.shift()) {
    const tried = await thread.try(share)
    if (!('stuckAt' in tried)) {
      take(tried)
      continue
    }
    const { stuckAt: seed } = tried
    const wrong = `gets no further in ${values.patience} s: somebody goes on without waiting`
    take({ ...NOTHING, name: share.name, seeds: 1, ms: patienceMs, failures: [{ seed, wrong }] })
    if (seed === NO_SEED) continue
    // What came of those before it is lost with the thread.
    shares.unshift(
      ...[
        { ...share, end: seed },
        { ...share, first: seed + 1 },
      ].filter(({ first, end }) => first < end),
    )
  }
  await thread.close()
}

function take({ name, seeds, ms, failures, ...counts }: Tried): void {
  addAll(injected, counts.injected)
  addAll(observed, counts.observed)
  const of = done.get(name) ?? { seeds: 0, ms: 0, failed: 0 }
  done.set(name, { seeds: of.seeds + seeds, ms: of.ms + ms, failed: of.failed + failures.length })
  for (const { seed, wrong } of failures) {
    console.log(`${name}, seed ${seed}: ${wrong}\n  npm run simulate -- --case ${name} --seed ${seed} --trace`)
  }
  if (Date.now() - shown < SHOW_EVERY_MS) return
  shown = Date.now()
  const sum = [...done.values()].reduce((total, case_) => total + case_.seeds, 0)
  console.log(`${sum} of ${runs * chosen.length} runs`)
}

/** Prints the tables; whether all is well. */
function report(): boolean {
  console.log(`\n${'case'.padEnd(28)}${'runs'.padStart(8)}${'ms a run'.padStart(10)}${'failed'.padStart(8)}`)
  for (const [name, { seeds, ms, failed }] of done) {
    console.log(
      `${name.padEnd(28)}${String(seeds).padStart(8)}${(ms / seeds).toFixed(1).padStart(10)}${String(failed).padStart(8)}`,
    )
  }
  table(
    'injected',
    new Map(
      [...Object.keys(ALL_FAULTS).filter((fault) => !fault.endsWith('Ms')), ...injected.keys()].map((fault) => [
        fault,
        injected.get(fault) ?? 0,
      ]),
    ),
  )
  table('observed', observed)
  const failed = [...done.values()].reduce((total, of) => total + of.failed, 0)
  const passed = [...done.values()].reduce((total, of) => total + of.seeds, 0) - failed
  const seconds = (Date.now() - began) / 1000
  const missing = Object.entries(ALL_FAULTS).filter(
    ([fault, rate]) => rate > 0 && !fault.endsWith('Ms') && !injected.get(fault),
  )
  const isMissing = missing.length > 0 && values.case === undefined && passed + failed >= ENOUGH_RUNS
  if (isMissing) console.log(`never injected: ${missing.map(([fault]) => fault).join(', ')}`)
  console.log(
    `\nseeds ${first} to ${first + runs - 1}, ${seconds.toFixed(0)} s, ${((passed + failed) / seconds).toFixed(0)} runs/s`,
  )
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && !isMissing
}

function table(title: string, counts: ReadonlyMap<string, number>): void {
  console.log(`\n${title}`)
  for (const [what, n] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`  ${what.padEnd(40)}${String(n).padStart(8)}`)
  }
}
