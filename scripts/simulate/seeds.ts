/** Tries seeds of a case. Runs in a worker thread as well, which answers one `Share` after the other. */
import { isDeepStrictEqual } from 'node:util'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { NO_FAULTS, type Simulation, simulate } from 'millrace/testing'
import { CASES, type SimulationCase } from './cases/index.ts'
import { Progress } from './watched.ts'

/** Seeds of one case: from `first` to before `end`. */
export interface Share {
  readonly name: string
  readonly first: number
  readonly end: number
  readonly trace: boolean
}

export interface Tried {
  readonly name: string
  readonly seeds: number
  readonly ms: number
  readonly injected: ReadonlyMap<string, number>
  readonly observed: ReadonlyMap<string, number>
  readonly failures: readonly { readonly seed: number; readonly wrong: string }[]
}

const quiets = new Map<string, unknown>()

/** What the case comes to when nothing goes wrong. */
async function quietOutcome({ name, topology, input, options, outcome }: SimulationCase): Promise<unknown> {
  if (!quiets.has(name)) {
    quiets.set(name, outcome(await simulate(topology, { ...options, seed: 0, input, faults: NO_FAULTS })))
  }
  return quiets.get(name)
}

/** @param progress - told of each seed, and of all that happens */
export async function trySeeds({ name, first, end, trace }: Share, progress = new Progress()): Promise<Tried> {
  const of = CASES.find((other) => other.name === name)!
  const quiet = await quietOutcome(of)
  const injected = new Map<string, number>()
  const observed = new Map<string, number>()
  const failures: { seed: number; wrong: string }[] = []
  const onTrace = trace ? (line: string) => console.log(line) : progress.moment
  const began = performance.now()
  for (let seed = first; seed < end; seed++) {
    progress.begin(seed)
    try {
      const run = await simulate(of.topology, { ...of.options, seed, input: of.input, onTrace })
      addAll(injected, run.injected)
      addAll(observed, run.observed)
      const wrong = difference(of.outcome(run), quiet)
      if (wrong !== undefined) failures.push({ seed, wrong })
    } catch (error) {
      failures.push({ seed, wrong: error instanceof Error ? `${error.stack}\n${error.cause ?? ''}` : String(error) })
    }
  }
  return { name, seeds: end - first, ms: performance.now() - began, injected, observed, failures }
}

export function addAll(to: Map<string, number>, counts: Simulation['injected']): void {
  for (const [what, n] of counts) to.set(what, (to.get(what) ?? 0) + n)
}

/** Only what is not in the other. */
function difference(rough: unknown, quiet: unknown): string | undefined {
  if (isDeepStrictEqual(rough, quiet)) return undefined
  const only = (a: unknown, b: unknown) => {
    const there = new Set(linesOf(b))
    return linesOf(a).filter((line) => !there.has(line))
  }
  const lines = [
    ...only(rough, quiet).map((line) => `    + ${line}`),
    ...only(quiet, rough).map((line) => `    - ${line}`),
  ]
  const text = lines.length > 0 ? lines.slice(0, 20).join('\n') : '    the same lines, not as often or in another order'
  return `something else came out (+) than should (-)\n${text}`
}

function linesOf(outcome: unknown): string[] {
  if (Array.isArray(outcome)) return outcome.map(String)
  return Object.entries(outcome as object).flatMap(([name, lines]) => linesOf(lines).map((line) => `${name} ${line}`))
}

if (!isMainThread) {
  const progress = new Progress(workerData as SharedArrayBuffer)
  parentPort!.on('message', async (share: Share) => parentPort!.postMessage(await trySeeds(share, progress)))
}
