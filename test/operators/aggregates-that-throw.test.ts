import { describe, expect, it } from 'vitest'
import {
  aggregate,
  custom,
  type Grouped,
  groupBy,
  groupByKey,
  hopping,
  json,
  map,
  session,
  sliding,
  stream,
  string,
  type Table,
  table,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windowedBy,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

const touchy = custom({
  init: (): string[] => [],
  add(all: string[], value: string) {
    if (value === 'bad') throw new Error('bad')
    all.push(value)
    return all
  },
  merge: (a, b) => a.concat(b),
  remove: (all, value) => all.filter((other) => other !== value),
  neutral: true,
})
const out = { key: string(), value: json() }
const input = stream('input', { key: string(), value: string() })
const POLICY = { errors: { failing: 'dead-letter' } } as const

describe('a commutative aggregate whose merge throws', () => {
  const most = 20
  /** Adds as it merges: but who adds one by one never comes to it. */
  const bounded = custom({
    kind: 'bounded',
    init: () => 0,
    add: (n: number, value: string) => n + value.length,
    merge(a: number, b: number) {
      if (a + b > most) throw new Error('too many')
      return a + b
    },
    neutral: true,
    commutative: true,
  })
  const driverOf = (failing: 'dead-letter' | 'skip' | 'fail') => {
    const app = topology('t', [
      input.pipe(
        groupByKey(),
        windowedBy(sliding(100, { grace: 1_000 })),
        aggregate('kept', bounded),
        untilWindowCloses(),
        map<Windowed<string>, number, string, number>((value, { window }) => [`${window.start}`, value]),
        to('out', out),
      ),
    ])
    return new TopologyDriver(app, { emit: 'commit', errors: { failing } })
  }
  const fill = (driver: TopologyDriver, key: string) => {
    for (let i = 0; i < 30; i++) driver.pipe('input', key, 'x', 1_000 + i * 2)
  }
  /** Its first records find few windows, and are added at once. */
  const said = {
    code: 'MERGE_FAILED',
    message: expect.stringMatching(/^merging bounded threw in the window \[\d+, \d+\].*too many/),
    hint: expect.stringMatching(/commutative/),
    context: { node: 'aggregate:kept', topic: 'input', partition: 0, key: 'a', offset: expect.any(Number) },
  }

  it.each(['dead-letter', 'skip', 'fail'] as const)(
    'stops the commit, and says where: errors.failing %s',
    (failing) => {
      const driver = driverOf(failing)
      fill(driver, 'a')
      expect(() => driver.commit()).toThrow(expect.objectContaining(said))
      expect(driver.read('out')).toEqual([])
    },
  )

  it('is not blamed on the record that closes the window', () => {
    const driver = driverOf('dead-letter')
    fill(driver, 'a')
    expect(() => driver.pipe('input', 'b', 'x', 5_000)).toThrow(expect.objectContaining(said))
    expect(driver.deadLetters()).toEqual([])
  })
})

describe('an aggregate that throws', () => {
  it('makes no entry for a key, nor for a group of a table', () => {
    const rows = table('input', { key: string(), value: string(), store: 'rows' })
    const perKey = <K>(grouped: Grouped<string, string, K>): Table<K, string[]> =>
      grouped.pipe(aggregate('kept', touchy))
    for (const kept of [
      perKey(input.pipe(groupByKey())),
      perKey(rows.pipe(groupBy(() => 'group', { key: string(), value: string() }))),
    ]) {
      const driver = new TopologyDriver(topology('t', [kept.pipe(toStream(), to('out', out))]), POLICY)
      driver.pipe('input', 'a', 'bad', 1)
      expect(driver.store('kept')).toEqual([])
      expect(driver.deadLetters()).toHaveLength(1)
      driver.pipe('input', 'b', 'good', 2)
      expect(driver.read('out').map(({ value, timestamp }) => [value, timestamp])).toEqual([[['good'], 2]])
    }
  })

  it.each<[string, Windows]>([
    ['tumbling', tumbling(10)],
    ['hopping', hopping(10, { advance: 5 })],
    ['sliding', sliding(10)],
    ['session', session(10)],
  ])('makes no %s window, and no final result', (_, windows) => {
    const of = (bad: boolean) => {
      const app = topology('t', [
        input.pipe(
          groupByKey(),
          windowedBy(windows),
          aggregate('kept', touchy),
          untilWindowCloses(),
          map<Windowed<string>, string[], string, string[]>((value, { window }) => [`${window.start}`, value]),
          to('out', out),
        ),
      ])
      const driver = new TopologyDriver(app, POLICY)
      const times = [15, 18, 22, 40, 41, 90]
      for (const [i, timestamp] of times.entries()) {
        if (bad) driver.pipe('input', 'a', 'bad', timestamp)
        // Windows that only this record has closed are not forgotten without their results.
        if (bad) driver.commit()
        driver.pipe('input', 'a', `${i}`, timestamp)
      }
      return driver.read('out').map(({ key, value }) => [key, value])
    }
    expect(of(true)).toEqual(of(false))
    expect(of(false).length).toBeGreaterThan(1)
  })
})
