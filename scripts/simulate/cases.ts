import {
  count,
  groupBy,
  groupByKey,
  json,
  type SinkDefinition,
  sliding,
  stream,
  string,
  type Topology,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  type Windowed,
  windowed,
  windowedBy,
} from 'millrace'
import {
  type Random,
  type SimulatedInput,
  type Simulation,
  type SimulationOptions,
  seededRandom,
} from 'millrace/testing'

/** A topology to simulate, what goes into it, and what of the outcome must not depend on what went wrong. */
export interface SimulationCase {
  readonly name: string
  readonly topology: Topology
  readonly input: readonly SimulatedInput[]
  /** Other than the defaults. */
  readonly options?: Partial<SimulationOptions>
  outcome(simulation: Simulation): unknown
}

const INPUT_SEED = 2026

const lines = (n: number, of: (random: Random, i: number) => Omit<SimulatedInput, 'topic'>): SimulatedInput[] => {
  const random = seededRandom(INPUT_SEED)
  return Array.from({ length: n }, (_, i) => ({ topic: 'lines', ...of(random, i) }))
}
const source = () => stream('lines', { key: string(), value: string() })

/** What `simulate` puts in the place of sinks needs their name and mode alone. */
function sink<K>(name: string, mode: 'append' | 'upsert'): SinkDefinition<K, unknown> {
  return { kind: 'simulated', name, mode, parameters: {}, open: () => Promise.reject(new Error('only simulated')) }
}

const latest = (records: readonly { readonly key: unknown; readonly value: unknown }[]) =>
  sorted([...new Map(records.map(({ key, value }) => [JSON.stringify(key), value]))])
const sorted = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).sort()

/** A count behind a repartition topic: nothing lost, nothing doubled, on two hops. */
const words: SimulationCase = {
  name: 'words',
  topology: topology('words', [
    source().pipe(
      groupBy((word) => word),
      count('per-word'),
      toStream(),
      to('counts', { key: string(), value: json<number | null>() }),
    ),
  ]),
  input: lines(200, (random, i) => ({ key: `k${random.below(13)}`, value: `w${random.below(7)}`, timestamp: i })),
  outcome: (simulation) => latest(simulation.records('counts')),
}

/** Windows out of order and late, on update and final, into sinks of both kinds and a topic. */
const windows: SimulationCase = {
  name: 'windows',
  topology: topology('windows', [
    ...(() => {
      const perSecond = source().pipe(
        groupBy((word) => word),
        windowedBy(tumbling(1_000, { grace: 300 })),
        count('per-second'),
      )
      return [
        perSecond.pipe(toStream(), to(sink<Windowed<string>>('updates', 'upsert'))),
        perSecond.pipe(untilWindowCloses(), to('finals', { key: windowed(string(), { size: 1_000 }), value: json() })),
      ]
    })(),
    source().pipe(to(sink<string>('raw', 'append'))),
    source().pipe(
      groupByKey(),
      windowedBy(sliding(500, { grace: 300 })),
      count('sliding'),
      toStream(),
      to('slides', { key: windowed(string(), { size: 500 }), value: json<number | null>() }),
    ),
  ]),
  input: lines(200, (random, i) => ({
    key: `k${random.below(5)}`,
    value: `w${random.below(4)}`,
    timestamp: Math.max(0, i * 20 + random.below(400) - (random.chance(0.05) ? 2_000 : 200)),
  })),
  outcome: (simulation) => ({
    updates: sorted(simulation.rows('updates').map(({ key, value }) => [key, value])),
    raw: sorted(simulation.rows('raw').map(({ key, value, timestamp }) => [key, value, timestamp])),
    finals: sorted(simulation.records('finals').map(({ key, value }) => [key, value])),
    slides: latest(simulation.records('slides')),
  }),
}

export const CASES: readonly SimulationCase[] = [words, windows]
