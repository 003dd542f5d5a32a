import { isDeepStrictEqual } from 'node:util'
import type { Arbitrary } from 'fast-check'
import { MillraceError } from '../../errors.ts'
import type { Topology } from '../../topology/topology.ts'
import { type ReplayedRecord, type ReplayOutcome, type ReplayRecord, replay, STRAIGHT } from './replay.ts'

/** How the records of an output topic are compared. */
export type Comparison =
  /** Every record must be the same, in any order: final results, records of streams. */
  | 'every'
  /** The last record of each key: updates of tables, of which a commit may leave some out. */
  | 'latest'

export interface ReplayChecks {
  /** The input, as a fast-check arbitrary. */
  readonly input: Arbitrary<readonly ReplayRecord[]>
  /** By output topic. Default: 'every'. */
  readonly outputs?: Readonly<Record<string, Comparison>>
  /** Partitions of the user's topics; default: 1 to 3. */
  readonly partitions?: number
  /** When updates go out; default: both are tried. */
  readonly emit?: 'update' | 'commit'
  /**
   * The result does not depend on the order of records that come at most this late, in ms: then it is also checked that
   * an input in any such order gives what it gives in the order of time. Pass the grace of the windows.
   */
  readonly orderFreeWithin?: number
  /** Stores whose content may differ (it depends on the order that the input came in). */
  readonly ignoreStores?: readonly string[]
  /** Number of cases; default 100. */
  readonly runs?: number
  /** Default: `MILLRACE_SEED` of the environment, or 1. */
  readonly seed?: number
}

/**
 * Checks that a topology gives the same whatever the runtime does: over random inputs, any split into batches, any
 * placement of commits, and a crash of any task at any time, must leave the same stores and the same results as one
 * straight run. For your own `process` operators and aggregates as for the built-in ones.
 *
 * Throws with the smallest input and schedule that differ, and the seed. Needs `fast-check` (`MISSING_DEPENDENCY`).
 *
 * @example
 * ```ts
 * const orders = fc.record({
 *   topic: fc.constant('orders'),
 *   key: fc.constantFrom('a', 'b'),
 *   value: fc.nat(9),
 *   timestamp: fc.nat(100),
 * })
 * await checkReplays(shop, { input: fc.array(orders), outputs: { revenue: 'latest' } })
 * ```
 */
export async function checkReplays(topology: Topology, checks: ReplayChecks): Promise<void> {
  const fc = await import('fast-check').catch((cause: unknown) => {
    throw new MillraceError('MISSING_DEPENDENCY', 'checkReplays needs fast-check', {
      cause,
      hint: 'npm install --save-dev fast-check',
    })
  })
  const { runs: numRuns = 100, seed = Number(process.env.MILLRACE_SEED ?? 1) } = checks
  const step = fc.record({
    task: fc.nat(11),
    does: fc.constantFrom(
      'process' as const,
      'process' as const,
      'process' as const,
      'commit' as const,
      'crash' as const,
    ),
    count: fc.integer({ min: 1, max: 9 }),
  })
  const schedule = fc.record({
    batches: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }),
    steps: fc.array(step, { maxLength: 40 }),
  })
  const options = fc.record({
    partitions: checks.partitions === undefined ? fc.integer({ min: 1, max: 3 }) : fc.constant(checks.partitions),
    emit: checks.emit === undefined ? fc.constantFrom('update' as const, 'commit' as const) : fc.constant(checks.emit),
  })
  const any = fc.property(checks.input, schedule, options, (input, of, how) => {
    const straight = replay(topology, input, STRAIGHT, how)
    mustEqual(checks, 'a straight run', straight, replay(topology, input, of, how))
  })
  fc.assert(any, { numRuns, seed })
  const { orderFreeWithin } = checks
  if (orderFreeWithin === undefined) return
  const delays = fc.array(fc.nat(orderFreeWithin), { minLength: 1, maxLength: 40 })
  const permuted = fc.property(checks.input, delays, schedule, options, (input, delay, of, how) => {
    const inOrder = input.toSorted((a, b) => a.timestamp - b.timestamp)
    const arrival = new Map(inOrder.map((record, i) => [record, record.timestamp + delay[i % delay.length]]))
    const late = inOrder.toSorted((a, b) => arrival.get(a)! - arrival.get(b)!)
    const straight = replay(topology, inOrder, STRAIGHT, how)
    mustEqual(checks, 'the order of time', straight, replay(topology, late, of, how))
  })
  fc.assert(permuted, { numRuns, seed })
}

function mustEqual({ outputs = {}, ignoreStores = [] }: ReplayChecks, of: string, a: ReplayOutcome, b: ReplayOutcome) {
  for (const [topic, records] of a.topics) {
    const compared = outputs[topic] === 'latest' ? latest : every
    differ(of, `topic ${topic}`, compared(records), compared(b.topics.get(topic)!))
  }
  for (const [store, entries] of a.stores) {
    if (!ignoreStores.includes(store)) differ(of, `store ${store}`, entries, b.stores.get(store)!)
  }
}

function differ(of: string, what: string, expected: readonly string[], actual: readonly string[]): void {
  if (isDeepStrictEqual(expected, actual)) return
  const missing = without(expected, actual)
  const extra = without(actual, expected)
  throw new Error(
    `${what} differs from ${of}:\n  missing: ${missing.join('\n           ')}\n  extra:   ${extra.join('\n           ')}`,
  )
}

/** As multisets. */
function without(list: readonly string[], taken: readonly string[]): string[] {
  const rest = [...taken]
  return list.filter((text) => {
    const at = rest.indexOf(text)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

const every = (records: readonly ReplayedRecord[]) => records.map(({ text }) => text).sort()
/** A deletion that was never followed by anything is as good as nothing. */
const latest = (records: readonly ReplayedRecord[]) => {
  const rows = new Map(records.map((record) => [record.key, record]))
  return [...rows.values()].flatMap(({ text, deletion }) => (deletion ? [] : [text])).sort()
}
