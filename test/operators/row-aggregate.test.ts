import fc from 'fast-check'
import {
  aggregate,
  combine,
  count,
  filter,
  groupByKey,
  hopping,
  json,
  max,
  mean,
  min,
  nullable,
  stddev,
  stream,
  string,
  sum,
  to,
  topology,
  toStream,
  tumbling,
  unlimited,
  untilTimeLimit,
  untilWindowCloses,
  variance,
  type Windowed,
  windowed,
  windowedBy,
} from 'millrace'
import { TopologyDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'

const input = stream('input', { key: nullable(string()), value: json<number | null>() })
const number = (n: number | null) => n
const numbers = () =>
  combine({
    n: count(),
    total: sum(number),
    cents: sum(number, { decimals: 2 }),
    least: min(number),
    most: max(number),
    mean: mean(number),
    variance: variance(number),
    inner: combine({ deviation: stddev(number), n: count() }),
  })
// A copy of the aggregate is one of the user's own, and its accumulators are objects.
const kept = { 'rows of numbers': numbers, objects: () => ({ ...numbers() }) }

type Windows = Parameters<typeof windowedBy>[0]
const windowKinds: Record<string, Windows> = {
  tumbling: tumbling(10, { grace: 5 }),
  hopping: hopping(10, { advance: 4, grace: 3 }),
  unlimited: unlimited(),
}

/** With everything that may be behind an aggregation: results, finals under a bound, old values, a time limit. */
function driverOf(windows: Windows, made: () => ReturnType<typeof numbers>, emit: 'update' | 'commit') {
  const table = input.pipe(groupByKey(), windowedBy(windows), aggregate('numbers', made(), { retention: 4 }))
  const serdes = { key: windowed(string(), { size: 10 }), value: json<never>() } as never
  const more =
    windows.kind === 'unlimited'
      ? []
      : [
          table.pipe(untilWindowCloses({ maxRecords: 8 }), to('finals', serdes)),
          table.pipe(
            filter(({ n }) => n % 2 === 1),
            toStream(),
            to('odd', serdes),
          ),
        ]
  return new TopologyDriver(
    topology('rows', [
      table.pipe(toStream(), to('output', serdes)),
      ...more,
      table.pipe(untilTimeLimit(7, { maxRecords: 3 }), toStream(), to('limited', serdes)),
    ]),
    { emit },
  )
}

type Step =
  | { readonly kind: 'record'; readonly key: string | null; readonly value: number | null; readonly at: number }
  | { readonly kind: 'commit' | 'restart' }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('record' as const),
        key: fc.constantFrom('a', 'b', 'a key of more than thirteen characters', 'ä', null),
        value: fc.oneof(fc.double({ noNaN: true }), fc.integer(), fc.constantFrom(null, 0, 2 ** 53 + 2, 0.1)),
        at: fc.nat(60),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'restart' as const) }) },
  ),
  { maxLength: 40 },
)

function outcome(driver: TopologyDriver, all: readonly Step[]) {
  for (const step of all) {
    if (step.kind === 'record') driver.pipe('input', step.key, step.value, step.at)
    else if (step.kind === 'commit') driver.commit()
    else driver.restart()
  }
  driver.commit()
  const rows = driver.outputs.map((topic) => driver.read<Windowed<string>>(topic))
  // A store has no order.
  const held = driver.store('numbers').map((entry) => [JSON.stringify([entry.start, entry.key]), entry] as const)
  return { rows, held: new Map(held), size: held.length, dropped: driver.droppedByReason() }
}

/** Where more windows wait than may, the same number of them does. */
function outcomeOrError(driver: TopologyDriver, all: readonly Step[]) {
  try {
    return outcome(driver, all)
  } catch (error) {
    return String(error)
  }
}

describe.each(Object.entries(windowKinds))('aggregates of numbers in %s windows', (_, windows) => {
  it.each(['update', 'commit'] as const)('are the same in rows as in objects, given out at each %s', (emit) => {
    fc.assert(
      fc.property(steps, (all) => {
        const [rows, objects] = Object.values(kept).map((made) => outcomeOrError(driverOf(windows, made, emit), all))
        expect(rows).toEqual(objects)
      }),
      { numRuns: 40 },
    )
  })
})

describe.each(Object.entries(kept))('windows that are over, of %s,', (_, made) => {
  const serdes = { key: windowed(string(), { size: 10 }), value: json<{ n: number }>() }
  const driverOf = (emit: 'update' | 'commit') =>
    new TopologyDriver(
      topology('over', [
        input.pipe(
          groupByKey(),
          windowedBy(tumbling(10, { grace: 5 })),
          aggregate('numbers', made()),
          toStream(),
          to('output', serdes as never),
        ),
      ]),
      { emit },
    )
  const read = (driver: TopologyDriver) =>
    driver
      .read<Windowed<string>, { n: number }>('output')
      .map(({ key, value, headers }) => ({ key: `${key!.key}@${key!.window.start}`, n: value!.n, headers }))

  it('give their results without waiting for the commit, and are held no longer', () => {
    const driver = driverOf('commit')
    for (const key of ['a', 'b', 'a']) driver.pipe('input', key, 1, 3)
    driver.commit()
    expect(read(driver).map(({ key, n }) => [key, n])).toEqual([
      ['a@0', 2],
      ['b@0', 1],
    ])
    driver.pipe('input', 'b', 1, 4)
    driver.pipe('input', 'c', 1, 5)
    expect(read(driver)).toEqual([])
    driver.pipe('input', 'a', 1, 15, [['sent', Buffer.from('along')]])
    // What no commit has seen and what one has; and only what has changed, in the name of no record.
    expect(read(driver)).toEqual([
      { key: 'b@0', n: 2, headers: [] },
      { key: 'c@0', n: 1, headers: [] },
    ])
    expect(driver.store('numbers').map(({ start }) => start)).toEqual([10])
    driver.commit()
    expect(read(driver).map(({ key }) => key)).toEqual(['a@10'])
    driver.restart()
    expect(driver.store('numbers').map(({ key, start }) => [key, start])).toEqual([['a', 10]])
    driver.pipe('input', 'c', 1, 5)
    expect(driver.droppedByReason()).toEqual(new Map([['late', 1]]))
  })

  it('have the last result that they have at every update, wherever commits fall', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const [each, held] = (['update', 'commit'] as const).map((emit) => {
          const driver = driverOf(emit)
          for (const step of all) {
            if (step.kind === 'record') driver.pipe('input', step.key, step.value, step.at)
            else if (step.kind === 'commit') driver.commit()
          }
          driver.commit()
          return read(driver)
        })
        expect(new Map(held.map(({ key, n }) => [key, n]))).toEqual(new Map(each.map(({ key, n }) => [key, n])))
        expect(held.length).toBeLessThanOrEqual(each.length)
      }),
      { numRuns: 60 },
    )
  })
})

describe('aggregates of numbers', () => {
  it('stay as they were when a function of the user’s throws', () => {
    const picky = combine({
      n: count(),
      total: sum((n: number | null) => {
        if (n !== null && n < 0) throw new Error('negative')
        return n
      }),
    })
    const table = input.pipe(groupByKey(), windowedBy(tumbling(10)), aggregate('picky', picky))
    const serdes = { key: windowed(string(), { size: 10 }), value: json<never>() } as never
    const driver = new TopologyDriver(topology('picky', [table.pipe(toStream(), to('output', serdes))]), {
      errors: { failing: 'skip' },
    })
    driver.pipe('input', 'new', -1, 1)
    driver.pipe('input', 'a', 5, 1)
    driver.pipe('input', 'a', -1, 9)
    expect(driver.read('output')).toMatchObject([{ value: { n: 1, total: 5 }, timestamp: 1 }])
    expect(driver.store('picky')).toMatchObject([{ key: 'a', start: 0, timestamp: 1 }])
  })

  it('that were given another result give that one', () => {
    const doubled = { ...count(), result: (n: number) => n * 2 }
    const table = input.pipe(groupByKey(), windowedBy(tumbling(10)), aggregate('doubled', doubled))
    const serdes = { key: windowed(string(), { size: 10 }), value: json<never>() } as never
    const driver = new TopologyDriver(topology('doubled', [table.pipe(toStream(), to('output', serdes))]))
    driver.pipe('input', 'a', 5, 1)
    expect(driver.read('output')).toMatchObject([{ value: 2 }])
  })
})
