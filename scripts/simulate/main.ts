/** `npm run simulate`: many seeded runs in virtual time, with faults everywhere; each must end as a quiet run does. */
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { NO_FAULTS, simulate } from 'millrace/testing'
import { CASES, type SimulationCase } from './cases.ts'

const HELP = `Runs topologies in virtual time over a log in memory while things go wrong, and
compares what comes out with a run in which nothing does.

  npm run simulate -- [--runs N] [--seed S] [--case NAME] [--trace]

--runs   seeds to try for each case, default 200
--seed   the first seed, default 1; one run alone unless --runs is given
--case   ${CASES.map(({ name }) => name).join(', ')}; default all
--trace  print every call and every fault

Ends with "N passed, N failed"; a failure prints the command that replays it.`

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    case: { type: 'string' },
    trace: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
})
const chosen = CASES.filter(({ name }) => values.case === undefined || name === values.case)
const first = Number(values.seed ?? 1)
const runs = Number(values.runs ?? (values.seed === undefined ? 200 : 1))
if (values.help || chosen.length === 0 || !Number.isInteger(first) || !Number.isInteger(runs)) {
  console.log(HELP)
  process.exit(values.help ? 0 : 2)
}

const SHOW_EVERY_MS = 5_000
const total = { passed: 0, failed: 0 }
for (const of of chosen) await simulateCase(of)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed > 0 ? 1 : 0)

async function simulateCase({ name, topology, input, outcome }: SimulationCase): Promise<void> {
  const quiet = outcome(await simulate(topology, { seed: 0, input, faults: NO_FAULTS }))
  const injected = new Map<string, number>()
  const began = Date.now()
  let shown = began
  for (let seed = first; seed < first + runs; seed++) {
    let wrong: unknown
    try {
      const run = await simulate(topology, { seed, input })
      for (const [fault, n] of run.injected) injected.set(fault, (injected.get(fault) ?? 0) + n)
      if (values.trace) console.log(run.trace.join('\n'))
      const rough = outcome(run)
      if (!isDeepStrictEqual(rough, quiet))
        wrong = `something else came out (+) than should (-)\n${difference(rough, quiet)}`
    } catch (error) {
      wrong = error
    }
    if (wrong === undefined) total.passed++
    else {
      total.failed++
      console.log(`${name}, seed ${seed}: ${wrong}\n  npm run simulate -- --case ${name} --seed ${seed} --trace`)
    }
    if (Date.now() - shown > SHOW_EVERY_MS) {
      shown = Date.now()
      console.log(`${name}: ${seed - first + 1} of ${runs} runs`)
    }
  }
  const perRun = ((Date.now() - began) / runs).toFixed(1)
  console.log(`${name}: ${runs} runs, ${perRun} ms each; injected:`)
  for (const [fault, n] of [...injected].sort()) console.log(`  ${fault.padEnd(24)} ${n}`)
}

/** Only what is not in the other. */
function difference(rough: unknown, quiet: unknown): string {
  const only = (a: unknown, b: unknown) => {
    const there = new Set(linesOf(b))
    return linesOf(a).filter((line) => !there.has(line))
  }
  return [...only(rough, quiet).map((line) => `    + ${line}`), ...only(quiet, rough).map((line) => `    - ${line}`)]
    .slice(0, 20)
    .join('\n')
}

function linesOf(outcome: unknown): string[] {
  if (Array.isArray(outcome)) return outcome.map(String)
  return Object.entries(outcome as object).flatMap(([name, lines]) => linesOf(lines).map((line) => `${name} ${line}`))
}
