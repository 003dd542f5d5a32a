import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  aggregate,
  collect,
  countWindows,
  groupByKey,
  hopping,
  json,
  map,
  session,
  sliding,
  stream,
  string,
  to,
  topology,
  tumbling,
  type UntilWindowClosesOptions,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windowedBy,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

const bounded = (windows: Windows, options?: UntilWindowClosesOptions) =>
  topology('t', [
    stream('in', { key: string(), value: string() }).pipe(
      groupByKey(),
      windowedBy(windows),
      aggregate('kept', { all: collect() }),
      untilWindowCloses(options),
      map<Windowed<string>, unknown, string, unknown>((value, { key, window }) => [
        `${key} ${window.start} ${window.end}`,
        value,
      ]),
      to('out', { key: string(), value: json() }),
    ),
  ])
const kinds: [string, Windows][] = [
  ['tumbling', tumbling(10, { grace: 3 })],
  ['hopping', hopping(10, { advance: 4, grace: 3 })],
  ['sliding', sliding(10, { grace: 3 })],
  ['session', session(10, { grace: 3 })],
  ['count', countWindows(3)],
]
const full = expect.objectContaining({ code: 'BUFFER_FULL' })

describe('untilWindowCloses with a bound', () => {
  it('stops when more windows wait than may; what a record closes makes room for what it opens', () => {
    const driver = new TopologyDriver(bounded(tumbling(10), { maxRecords: 2 }))
    driver.pipe('in', 'a', 'x', 1)
    driver.pipe('in', 'b', 'x', 2)
    driver.pipe('in', 'a', 'y', 3)
    driver.pipe('in', 'c', 'x', 10)
    driver.commit()
    driver.restart()
    driver.pipe('in', 'd', 'x', 11)
    expect(driver.read('out').map(({ key }) => key)).toEqual(['a 0 10', 'b 0 10'])
    expect(() => driver.pipe('in', 'e', 'x', 12)).toThrow(full)
  })

  it('counts bytes as they are in the changelog, and stops whatever the policy for records', () => {
    const options = { maxBytes: 60 }
    const driver = new TopologyDriver(bounded(tumbling(10), options), { errors: { failing: 'skip' } })
    driver.pipe('in', 'a', 'x'.repeat(20), 1)
    // The same window is counted anew, not once more.
    driver.pipe('in', 'a', '', 2)
    expect(() => driver.pipe('in', 'b', 'x'.repeat(20), 3)).toThrow(full)
    const larger = new TopologyDriver(bounded(tumbling(10), options))
    expect(() => larger.pipe('in', 'a', 'x'.repeat(60), 1)).toThrow(/untilWindowCloses holds 1 records \(\d+ bytes\)/)
  })

  const records = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b'), timestamp: fc.nat(60), restart: fc.nat(9).map((n) => n === 0) }),
    { maxLength: 30 },
  )
  it.each(kinds)('holds as many %s windows as come out in the end, over restarts', (_, windows) => {
    fc.assert(
      fc.property(records, (input) => {
        const free = new TopologyDriver(bounded(windows))
        // How many windows are open at most, by what is in the store and has not come out.
        let most = 0
        const play = (driver: TopologyDriver, each: () => void) => {
          for (const { key, timestamp, restart } of input) {
            driver.pipe('in', key, 'x', timestamp)
            each()
            if (!restart) continue
            driver.commit()
            driver.restart()
          }
        }
        const given = new Set<unknown>()
        play(free, () => {
          for (const { key } of free.read('out')) given.add(key)
          const open = free.store('kept').filter(({ key, start, timestamp }) => {
            const end = windows.kind === 'session' ? timestamp : start + ('size' in windows ? windows.size : 10)
            return !given.has(`${key} ${start} ${end}`)
          })
          most = Math.max(most, open.length)
        })
        const exact = new TopologyDriver(bounded(windows, { maxRecords: most }))
        play(exact, () => {})
        if (most === 0) return
        const tight = new TopologyDriver(bounded(windows, { maxRecords: most - 1 }))
        expect(() => play(tight, () => {})).toThrow(full)
      }),
    )
  })

  it('refuses bounds that are none', () => {
    expect(() => untilWindowCloses({ maxRecords: -1 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(() => untilWindowCloses({ maxBytes: 0.5 })).toThrow(/maxBytes/)
  })
})
