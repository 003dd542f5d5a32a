import { expect, it } from 'vitest'
import { events } from '../../benchmarks/nexmark/generate.ts'
import { queries } from '../../benchmarks/nexmark/queries.ts'
import { reference } from '../../benchmarks/nexmark/references.ts'
import { registry } from '../../benchmarks/nexmark/topics.ts'
import { Checksum } from '../../benchmarks/suite/checksum.ts'
import { string, to, topology } from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

const EVENTS = 3_000
const SEED = 7
/** Milliseconds between two events: a minute in all, so that windows open and sessions end. */
const INTERVAL = 20

/** The last line of each key, as of all events in the order in which they happened. */
function resultsOf(name: string): { readonly rows: number; readonly checksum: string } {
  const { inputs, build, settled } = queries[name]
  const topics = inputs.map((input) => input.name)
  const app = topology(name, [build(topics).pipe(to('out', { key: string(), value: string() }))])
  const driver = new TopologyDriver(app, { registry: registry() })
  for (const event of events(EVENTS, SEED, INTERVAL)) {
    const topic = `nexmark-${event.kind}s`
    if (!topics.includes(topic)) continue
    const key = event.kind === 'bid' ? event.of.auction : event.of.id
    driver.pipe(topic, String(key), event.of, event.of.date_time)
  }
  const latest = new Map(driver.read<string, string | null>('out').map(({ key, value }) => [key, value]))
  const lines = new Map([...latest].flatMap(([key, line]) => (line === null ? [] : [[key, line]])))
  const sum = new Checksum()
  for (const [key, line] of settled?.(lines) ?? lines) sum.add(`${key}|${line}`)
  return { rows: sum.rows, checksum: `${sum}` }
}

it.each(Object.keys(queries))('%s gives what a batch computation does', (name) => {
  const expected = reference(name, EVENTS, SEED, INTERVAL)
  expect(expected.rows).toBeGreaterThan(0)
  expect(resultsOf(name)).toEqual({ rows: expected.rows, checksum: `${expected}` })
  // The checksum is that of these events, not of any.
  expect(`${reference(name, EVENTS, SEED + 1, INTERVAL)}`).not.toBe(`${expected}`)
})

it('persons, auctions and bids come as 1 : 3 : 46, the same for the same seed', () => {
  const counts = { person: 0, auction: 0, bid: 0 }
  for (const { kind } of events(EVENTS, SEED, INTERVAL)) counts[kind]++
  expect(counts).toEqual({ person: EVENTS / 50, auction: (EVENTS * 3) / 50, bid: (EVENTS * 46) / 50 })
  expect([...events(100, SEED)]).toEqual([...events(100, SEED)])
})
