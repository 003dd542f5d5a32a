import { json, type SinkDefinition, stream, string, type Topology } from 'millrace'
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

/** Records for one topic or several, always the same. */
export function records(n: number, of: (random: Random, i: number) => SimulatedInput): SimulatedInput[] {
  const random = seededRandom(INPUT_SEED)
  return Array.from({ length: n }, (_, i) => of(random, i))
}

export const lines = (n: number, of: (random: Random, i: number) => Omit<SimulatedInput, 'topic'>): SimulatedInput[] =>
  records(n, (random, i) => ({ topic: 'lines', ...of(random, i) }))

export const source = (topic = 'lines') => stream(topic, { key: string(), value: string() })

/** For results of any shape. */
export const results = { key: string(), value: json<unknown>() }

/** What `simulate` puts in the place of sinks needs their name and mode alone. */
export function sink<K>(name: string, mode: 'append' | 'upsert'): SinkDefinition<K, unknown> {
  return { kind: 'simulated', name, mode, parameters: {}, open: () => Promise.reject(new Error('only simulated')) }
}

interface Row {
  readonly key: unknown
  readonly value: unknown
}

export const sorted = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).sort()

/** Every record, whatever its place. */
export const all = (of: readonly Row[]) => sorted(of.map(({ key, value }) => [key, value]))

/** The newest of each key, without those that are deleted. */
export const latest = (of: readonly Row[]) =>
  sorted([...new Map(of.map(({ key, value }) => [JSON.stringify(key), value]))].filter(([, value]) => value !== null))
