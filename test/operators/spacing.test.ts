import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  deduplicate,
  json,
  long,
  nullable,
  selectKey,
  stream,
  string,
  throttle,
  to,
  topology,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

interface Payment {
  readonly id: string | null
  readonly n?: number
}
const payments = { key: string(), value: json<Payment>() }
const once = (within: number) =>
  topology('once', [
    stream('in', payments).pipe(deduplicate('once', { by: ({ id }) => id, within }), to('out', payments)),
  ])

const passed = (driver: TopologyDriver) => driver.read<string>('out').map(({ key, timestamp }) => [key, timestamp])

describe('deduplicate', () => {
  it('lets the first of each id pass, within its time, out of order too, and over a restart', () => {
    const driver = new TopologyDriver(once(10))
    const pipe = (key: string, id: string | null, timestamp: number) => driver.pipe('in', key, { id }, timestamp)
    pipe('a', 'x', 20)
    pipe('b', 'x', 30)
    pipe('c', 'x', 10)
    driver.commit()
    driver.restart()
    pipe('d', 'x', 25)
    pipe('e', 'y', 19)
    pipe('f', 'x', 31)
    pipe('g', null, 31)
    pipe('h', null, 31)
    expect(passed(driver)).toEqual([
      ['a', 20],
      ['e', 19],
      ['f', 31],
      ['g', 31],
      ['h', 31],
    ])
    expect(driver.droppedByReason()).toEqual(new Map([['duplicate', 1]]))
    pipe('late', 'z', 19)
    expect(driver.droppedByReason().get('late')).toBe(1)
  })

  it('gives what comparing with everything that has passed would, wherever commits and restarts fall', () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b'),
      move: fc.integer({ min: -12, max: 15 }),
      next: fc.constantFrom('nothing', 'nothing', 'commit', 'restart'),
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.array(step, { maxLength: 60 }), (within, steps) => {
        const driver = new TopologyDriver(once(within))
        const expected: [string, number][] = []
        let now = 0
        let newest = -1
        for (const { id, move, next } of steps) {
          now = Math.max(0, now + move)
          newest = Math.max(newest, now)
          const isCopy = expected.some(([other, time]) => other === id && Math.abs(time - now) <= within)
          driver.pipe('in', id, { id }, now)
          if (!isCopy && now >= newest - within - 1) expected.push([id, now])
          if (next !== 'nothing') driver.commit()
          if (next === 'restart') driver.restart()
        }
        expect(passed(driver)).toEqual(expected)
      }),
    )
  })

  it('forgets ids in memory and in the changelog', () => {
    const driver = new TopologyDriver(once(10))
    for (let n = 0; n < 1_000; n++) driver.pipe('in', 'k', { id: `id-${n}` }, n)
    driver.commit()
    expect(driver.store('once').length).toBeLessThanOrEqual(44)
    driver.restart()
    expect(driver.store('once').length).toBeLessThanOrEqual(44)
  })

  it('brings the records of a key together where it has changed, and takes ids of any type', () => {
    const byNumber = topology('by-number', [
      stream('in', payments).pipe(
        selectKey(({ id }) => id),
        deduplicate('by-number', { by: ({ n }) => n!, within: 10, id: long() }),
        to('out', { key: string(), value: json<Payment>() }),
      ),
    ])
    const driver = new TopologyDriver(byNumber, { partitions: 3 })
    expect(driver.plan.subtopologies).toHaveLength(2)
    driver.pipe('in', 'a', { id: 'k', n: 1 }, 0)
    driver.pipe('in', 'b', { id: 'k', n: 1 }, 1)
    driver.pipe('in', 'b', { id: 'k', n: 2 }, 2)
    expect(driver.read<string, Payment>('out').map(({ value }) => value.n)).toEqual([1, 2])
    expect(() => deduplicate('none', { by: () => '', within: 0 })).toThrow(/within is 0/)
  })
})

describe('throttle', () => {
  it('lets no two records of a key pass within its time', () => {
    const calm = topology('calm', [
      stream('in', { key: nullable(string()), value: string() }).pipe(
        throttle('calm', 10),
        to('out', { key: string(), value: string() }),
      ),
    ])
    const driver = new TopologyDriver(calm)
    const pipe = (key: string | null, timestamp: number) => driver.pipe('in', key, 'x', timestamp)
    pipe('a', 5)
    pipe('a', 14)
    pipe('b', 14)
    pipe(null, 14)
    driver.commit()
    driver.restart()
    pipe('a', 15)
    pipe('a', 24)
    pipe('a', 25)
    pipe('b', 15)
    pipe('a', 14)
    expect(passed(driver)).toEqual([
      ['a', 5],
      ['b', 14],
      ['a', 15],
      ['a', 25],
    ])
    expect(driver.droppedByReason().get('throttled')).toBe(2)
    expect(driver.droppedByReason().get('late')).toBe(1)
  })
})
