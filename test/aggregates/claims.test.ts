import { describe, expect, it } from 'vitest'
import {
  type Aggregate,
  aggregate,
  combine,
  count,
  custom,
  groupByKey,
  json,
  map,
  session,
  sliding,
  stream,
  string,
  sum,
  to,
  topology,
  toStream,
  type Windowed,
  type Windows,
  windowedBy,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

/** A spread aggregate with a function of one's own has said nothing of that function. */

const input = stream('in', { key: string(), value: json<number>() })
const out = { key: string(), value: json() }

/** What is in the windows at the end. */
function results<A>(of: Aggregate<number, A, unknown>, windows: Windows, emit: 'commit' | 'update') {
  const app = topology('t', [
    input.pipe(
      groupByKey(),
      windowedBy(windows),
      aggregate<string, number, Windowed<string>, typeof of>('kept', of),
      toStream(),
      map<Windowed<string>, unknown, string, unknown>((value, { window }) => [`${window.start}`, value]),
      to('out', out),
    ),
  ])
  const driver = new TopologyDriver(app, { emit })
  for (let i = 0; i < 60; i++) driver.pipe('in', 'a', i % 7, 1_000 + i * 3)
  if (emit === 'commit') driver.commit()
  return new Map(driver.read<string, unknown>('out').map(({ key, value }) => [key, value]))
}

/** The order of values shows: what was added last counts most. */
const halving = (all: number, value: number) => all / 2 + value
/** Not what `merge` of sums is for. */
const shifted = { ...count(), add: halving }

describe.each<[string, Aggregate<number, never, unknown>]>([
  ['count, with another add', shifted as never],
  ['the same in a record', combine({ kept: shifted }) as never],
  ['the same as custom', custom(shifted) as never],
  ['count, with another merge', { ...count(), merge: (a: number, b: number) => a + 2 * b } as never],
  ['count, beginning with another number', { ...count(), init: () => 5 } as never],
  [
    'custom, with another add',
    {
      ...custom({
        init: () => 0,
        add: (n: number, value: number) => n + value,
        merge: (a, b) => a + b,
        neutral: true,
        commutative: true,
      }),
      add: halving,
    } as never,
  ],
  [
    'sum, with another add',
    {
      ...sum((n: number) => n),
      add: (all: { sum: number }, n: number) => ({ ...all, sum: halving(all.sum, n) }),
    } as never,
  ],
])('%s', (_, of) => {
  it('comes to the same in sliding windows however often they are committed', () => {
    const atOnce = results(of, sliding(100, { grace: 10 }), 'update')
    expect(results(of, sliding(100, { grace: 10 }), 'commit')).toEqual(atOnce)
    expect(atOnce.size).toBeGreaterThan(60)
  })
})

it('a session that one record extends is merged with it where merging into a fresh one is not the same', () => {
  const doubling = { ...count(), merge: (a: number, b: number) => a + 2 * b }
  const said = { ...doubling, neutral: false }
  expect(results(doubling, session(10), 'update')).toEqual(results(said, session(10), 'update'))
})
