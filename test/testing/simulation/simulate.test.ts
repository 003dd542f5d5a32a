import { afterAll, describe, expect, it } from 'vitest'
import { CASES } from '../../../scripts/simulate/cases/index.ts'
import { count, groupByKey, json, mapValues, stream, string, to, topology, toStream } from '../../../src/index.ts'
import { ALL_FAULTS, NO_FAULTS, simulate } from '../../../src/testing/simulation/index.ts'

// A short round; `npm run simulate` tries as many seeds as there is time for.
const SEEDS = Array.from({ length: 25 }, (_, i) => i + 1)

/** Before it is said that something does not happen. */
const MOST_SEEDS = 300
/** Of each case. */
const FEW_SEEDS = SEEDS.slice(0, 8)
const injected = new Set<string>()

describe.each(CASES)('$name', ({ topology: of, input, options, outcome }) => {
  it('ends as a quiet run does, whatever goes wrong', async () => {
    const quiet = outcome(await simulate(of, { ...options, seed: 0, input, faults: NO_FAULTS }))
    for (const seed of FEW_SEEDS) {
      const rough = await simulate(of, { ...options, seed, input })
      for (const fault of rough.injected.keys()) injected.add(fault)
      expect(outcome(rough), `seed ${seed}`).toEqual(quiet)
    }
  })

  it('runs the same way with the same seed', async () => {
    const [first, again, other] = [7, 7, 8].map((seed) => simulate(of, { ...options, seed, input }))
    expect((await again).trace).toEqual((await first).trace)
    expect((await other).trace).not.toEqual((await first).trace)
  })
})

/** Seeds that found a bug when no other did. */
const FOUND: readonly { readonly name: string; readonly seed: number; readonly what: string }[] = [
  {
    name: 'sessions',
    seed: 1_524_934_853,
    what: 'a planned range that ends among aborted records is replayed to its end',
  },
]

it.each(FOUND)('$name, seed $seed: $what', async ({ name, seed }) => {
  const { topology: of, input, options, outcome } = CASES.find((other) => other.name === name)!
  const quiet = outcome(await simulate(of, { ...options, seed: 0, input, faults: NO_FAULTS }))
  expect(outcome(await simulate(of, { ...options, seed, input }))).toEqual(quiet)
})

afterAll(() => {
  const all = Object.entries(ALL_FAULTS).filter(([fault, rate]) => rate > 0 && !fault.endsWith('Ms'))
  expect(
    all.flatMap(([fault]) => (injected.has(fault) ? [] : [fault])),
    'never injected',
  ).toEqual([])
})

const counted = topology('counted', [
  stream('in', { key: string(), value: string() }).pipe(
    groupByKey(),
    count('per-key'),
    toStream(),
    to('out', { key: string(), value: json<number | null>() }),
  ),
])
const input = Array.from({ length: 100 }, (_, i) => ({ topic: 'in', key: `k${i % 3}`, value: 'x', timestamp: i }))
const total = (records: readonly { key: unknown; value: unknown }[]) =>
  [...new Map(records.map(({ key, value }) => [key, value as number])).values()].reduce((sum, n) => sum + n, 0)

it('tells at least once from exactly once', async () => {
  // Nearly every run dies between its outputs and its offsets: it takes a few seeds, whichever they are.
  const faults = { ...NO_FAULTS, crashesInCommit: 200, latencyMs: 5 }
  const ofSeed = async (seed: number, guarantee: 'exactly-once' | 'at-least-once') =>
    total((await simulate(counted, { seed, input, guarantee, faults })).records('out'))
  let most = 0
  for (let seed = 1; seed <= MOST_SEEDS && most <= input.length; seed++) {
    expect(await ofSeed(seed, 'exactly-once'), `seed ${seed}`).toBe(input.length)
    const n = await ofSeed(seed, 'at-least-once')
    expect(n, `seed ${seed}`).toBeGreaterThanOrEqual(input.length)
    most = Math.max(most, n)
  }
  // Were it never above, the faults would be too gentle to show that exactly once is more.
  expect(most).toBeGreaterThan(input.length)
})

it('fails with the seed when an instance fails, and has told what led to it', async () => {
  const failing = topology('failing', [
    stream('in', { key: string(), value: string() }).pipe(
      mapValues((): string => {
        throw new Error('no')
      }),
      to('out', { key: string(), value: string() }),
    ),
  ])
  const told: string[] = []
  const onTrace = (line: string) => void told.push(line)
  await expect(simulate(failing, { seed: 3, input, onTrace })).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringMatching(/seed 3[\s\S]*no/),
  })
  expect(told[0]).toBe('0.0 instance-0 starts')
})
