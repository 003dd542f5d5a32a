import type { Topology, Windowed } from 'millrace'
import type { DiskState } from 'millrace/disk'
import { TopologyDriver } from 'millrace/testing'
import type { Observed } from './compare.ts'
import type { Fixture, FixtureOutput, FixtureState, FixtureValue, FixtureWindow, Operator } from './fixture.ts'

/** A topology built for a fixture. */
export interface Built {
  readonly topology: Topology
  /** Output topics, and the branch each stands for. */
  readonly outputs: Readonly<Record<string, string | undefined>>
  /** The store whose content the fixture lists. */
  readonly store?: string
  /** Set where the store is windowed: the end of an entry's window. */
  readonly endOf?: (entry: { readonly start: number; readonly timestamp: number }) => number | null
  /** Results of different identities come in the very order of Kafka Streams, too. */
  readonly ordered?: boolean
}

/** Builds the topology of a fixture through the public API; undefined: an operator does not exist yet. */
export type Family = (operator: Operator) => Built | undefined

export interface ObserveOptions {
  readonly state?: DiskState
  /** A commit after every record, which is when state goes to the disk; default: none. */
  readonly commits?: boolean
}

/** Feeds a fixture record by record, each to completion, and writes down what happened. */
export function observe(
  fixture: Fixture,
  { topology, outputs, store, endOf }: Built,
  { state, commits = false }: ObserveOptions = {},
): Observed {
  const driver = new TopologyDriver(topology, { state })
  const output: FixtureOutput[] = []
  const droppedAt: [number, number][] = []
  let dropped = 0
  fixture.input.forEach(({ topic, key, value, timestamp }, afterInput) => {
    driver.pipe(topic, key, value, timestamp)
    if (commits) driver.commit()
    for (const [name, branch] of Object.entries(outputs)) {
      for (const record of driver.read(name)) {
        output.push({
          afterInput,
          ...keyAndWindow(record.key),
          ...(branch === undefined ? {} : { branch }),
          value: record.value as FixtureValue,
          timestamp: record.timestamp,
        })
      }
    }
    if (driver.dropped > dropped) droppedAt.push([afterInput, driver.dropped - dropped])
    dropped = driver.dropped
  })
  const finalState =
    store === undefined ? [] : driver.store<string, FixtureValue>(store).map((entry) => stateOf(entry, endOf))
  return { output, finalState, droppedAt }
}

function keyAndWindow(key: unknown): { key: string | null; window?: FixtureWindow } {
  if (typeof key !== 'object' || key === null) return { key: key as string | null }
  const { key: inner, window } = key as Windowed<string>
  return {
    key: inner,
    window: { start: window.start, end: window.end === Number.POSITIVE_INFINITY ? null : window.end },
  }
}

function stateOf(
  entry: { key: string; start: number; value: FixtureValue; timestamp: number },
  endOf: Built['endOf'],
): FixtureState {
  const { key, start, value, timestamp } = entry
  return { key, ...(endOf ? { window: { start, end: endOf(entry) } } : {}), value, timestamp }
}
