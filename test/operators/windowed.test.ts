import fc from 'fast-check'
import {
  aggregate,
  collect,
  count,
  groupBy,
  groupByKey,
  hopping,
  json,
  lateTo,
  nullable,
  reduce,
  session,
  sessionWindowed,
  sliding,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  unlimited,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windowed,
  windowedBy,
} from 'millrace'
import { TopologyDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'

const input = stream('input', { key: nullable(string()), value: string() })

function driverOf(windows: Windows, emission: 'updates' | 'finals', options = {}) {
  const table = input.pipe(groupByKey(), windowedBy(windows), aggregate('windows', collect()))
  const size = windows.kind === 'sliding' ? windows.timeDifference : 'size' in windows ? windows.size : 0
  const key = windows.kind === 'session' ? sessionWindowed(string()) : windowed(string(), { size })
  const serdes = { key, value: json<string[]>() }
  const results = emission === 'updates' ? table.pipe(toStream()) : table.pipe(untilWindowCloses())
  return new TopologyDriver(
    topology('windows', [
      results.pipe(to('output', serdes as never)),
      table.pipe(lateTo('late', { key: string(), value: string() })),
    ]),
    options,
  )
}

const read = (driver: TopologyDriver) =>
  driver
    .read<Windowed<string>, string[] | null>('output')
    .map(({ key: { key, window }, value }) => `${key}[${window.start},${window.end}]=${value?.join('') ?? 'null'}`)

describe('late records', () => {
  it('are in the side output only when they are in no window at all', () => {
    const driver = driverOf(hopping(10, { advance: 5 }), 'updates')
    driver.pipe('input', 'a', 'now', 20)
    driver.pipe('input', 'a', 'half', 16)
    driver.pipe('input', 'a', 'late', 9)
    driver.pipe('input', null, 'nobody', 0)
    expect(driver.droppedByReason()).toEqual(
      new Map([
        ['late', 3],
        ['null-key', 1],
      ]),
    )
    expect(driver.read('late')).toMatchObject([{ key: 'a', value: 'late', timestamp: 9 }])
  })

  it('of sliding windows are those that no window took', () => {
    const driver = driverOf(sliding(10), 'updates')
    driver.pipe('input', 'a', 'now', 100)
    driver.pipe('input', 'b', 'none', 95)
    driver.pipe('input', 'a', 'far', 5)
    expect(driver.read('late').map(({ value }) => value)).toEqual(['none', 'far'])
  })

  it('do not come from before an unlimited window', () => {
    const driver = driverOf(unlimited({ start: 10 }), 'updates')
    driver.pipe('input', 'a', 'early', 5)
    expect(driver.read('late')).toEqual([])
    expect(driver.dropped).toBe(0)
  })
})

it('late records of count and reduce have the type that went in', () => {
  const grouped = input.pipe(groupByKey(), windowedBy(tumbling(10)))
  const serdes = { key: string(), value: string() }
  const driver = new TopologyDriver(
    topology('late', [
      grouped.pipe(count('counted')).pipe(lateTo('late-of-count', serdes)),
      grouped.pipe(reduce('reduced', (a) => a)).pipe(lateTo('late-of-reduce', serdes)),
    ]),
  )
  driver.pipe('input', 'a', 'now', 20)
  driver.pipe('input', 'a', 'late', 3)
  expect(driver.read('late-of-count')).toMatchObject([{ value: 'late' }])
  expect(driver.read('late-of-reduce')).toMatchObject([{ value: 'late' }])
})

describe('windowed aggregations', () => {
  const kinds: readonly (readonly [string, (grace: number) => Windows])[] = [
    ['tumbling', (grace) => tumbling(10, { grace })],
    ['hopping', (grace) => hopping(10, { advance: 3, grace })],
    ['sliding', (grace) => sliding(10, { grace })],
    ['session', (grace) => session(7, { grace })],
  ]
  const record = fc.tuple(fc.constantFrom('a', 'b'), fc.nat(80), fc.constantFrom('', '', 'commit', 'restart'))
  const records = fc.array(record, { maxLength: 50 })

  it.each(kinds)('%s: are the same wherever commits and restarts are', (_, windows) => {
    for (const emission of ['updates', 'finals'] as const) {
      fc.assert(
        fc.property(records, fc.nat(20), (all, grace) => {
          const plain = driverOf(windows(grace), emission)
          const shaken = driverOf(windows(grace), emission)
          let droppedBefore = 0
          for (const [i, [key, timestamp, then]] of all.entries()) {
            const value = String.fromCharCode(97 + i)
            plain.pipe('input', key, value, timestamp)
            shaken.pipe('input', key, value, timestamp)
            if (then !== '') shaken.commit()
            if (then === 'restart') {
              droppedBefore += shaken.dropped
              shaken.restart()
            }
          }
          expect(read(shaken)).toEqual(read(plain))
          expect(shaken.read('late')).toEqual(plain.read('late'))
          expect(shaken.dropped + droppedBefore).toBe(plain.dropped)
        }),
        { numRuns: 150 },
      )
    }
  })

  it.each(kinds)('%s: hold back until the commit what in the end is the same', (_, windows) => {
    fc.assert(
      fc.property(records, fc.nat(20), (all, grace) => {
        const each = driverOf(windows(grace), 'updates')
        const held = driverOf(windows(grace), 'updates', { emit: 'commit' })
        for (const [i, [key, timestamp, then]] of all.entries()) {
          for (const driver of [each, held]) driver.pipe('input', key, String.fromCharCode(97 + i), timestamp)
          if (then !== '') held.commit()
        }
        held.commit()
        const last = (lines: readonly string[]) => {
          const latest = new Map(lines.map((line) => line.split('=') as [string, string]))
          return Object.fromEntries([...latest].filter(([, value]) => value !== 'null').sort())
        }
        expect(last(read(held))).toEqual(last(read(each)))
      }),
      { numRuns: 100 },
    )
  })

  it.each(kinds)('%s: give each window once as final, with all that was not late', (_, windows) => {
    fc.assert(
      fc.property(records, fc.nat(20), (all, grace) => {
        const driver = driverOf(windows(grace), 'finals')
        for (const [i, [key, timestamp]] of all.entries()) {
          driver.pipe('input', key, String.fromCharCode(97 + i), timestamp)
        }
        driver.pipe('input', 'a', '!', 1000)
        const finals = read(driver)
        const identities = finals.map((line) => line.slice(0, line.indexOf('=')))
        expect(new Set(identities).size).toBe(identities.length)
        const late = new Set(driver.read('late').map(({ value }) => value))
        const counted = new Set(finals.flatMap((line) => [...line.slice(line.indexOf('=') + 1)]))
        for (const i of all.keys()) {
          const value = String.fromCharCode(97 + i)
          expect([value, counted.has(value)]).toEqual([value, !late.has(value)])
        }
      }),
      { numRuns: 150 },
    )
  })

  it.each(kinds)('%s: leave memory once they are closed', (_, windows) => {
    const driver = driverOf(windows(5), 'finals')
    for (let i = 0; i < 2000; i++) {
      driver.pipe('input', `user-${i % 7}`, 'x', i * 4)
      if (i % 100 === 0) driver.commit()
    }
    driver.commit()
    const live = driver.store('windows').length
    expect(live).toBeLessThan(60)
    driver.commit()
    driver.restart()
    expect(driver.store('windows').length).toBeLessThanOrEqual(live)
  })
})

describe('aggregations without windows', () => {
  it('drop null keys and values, and go on after a restart, behind a repartition', () => {
    const words = stream('words', { key: nullable(string()), value: nullable(string()) })
    const driver = new TopologyDriver(
      topology('words', [
        words.pipe(groupByKey(), count('by-key'), toStream(), to('counts', { key: string(), value: json() })),
        words.pipe(
          groupBy((value) => value?.[0] ?? null, { key: nullable(string()) }),
          reduce('longest', (a, b) => (String(b).length > String(a).length ? b : a)),
          toStream(),
          to('longest', { key: string(), value: string() }),
        ),
      ]),
      { partitions: 4 },
    )
    driver.pipe('words', null, 'nobody', 0)
    driver.pipe('words', 'k', null, 0)
    driver.pipe('words', 'k', 'apple', 5)
    driver.commit()
    driver.restart()
    driver.pipe('words', 'l', 'apricot', 3)
    driver.pipe('words', 'k', 'ant', 4)
    expect(driver.read('counts')).toMatchObject([
      { key: 'k', value: 1 },
      { key: 'l', value: 1 },
      { key: 'k', value: 2, timestamp: 5 },
    ])
    expect(driver.read('longest').map(({ key, value }) => `${key}=${value}`)).toEqual([
      'n=nobody',
      'a=apple',
      'a=apricot',
      'a=apricot',
    ])
  })
})
