import { describe, expect, it } from 'vitest'
import {
  join,
  joinWindows,
  json,
  lateTo,
  leftJoin,
  nullable,
  outerJoin,
  type Stream,
  selectKey,
  stream,
  string,
  to,
  topology,
  within,
} from '../../../src/index.ts'
import { TopologyDriver } from '../../../src/testing/index.ts'

const serdes = { key: nullable(string()), value: nullable(string()) }
const left = stream('left', serdes)
const right = stream('right', serdes)
const pair = (a: string | null, b: string | null) => `${a}&${b}`
const driverOf = (joined: Stream<string | null, string>) =>
  new TopologyDriver(topology('app', [joined.pipe(to('out', { key: string(), value: string() }))]))
const results = (driver: TopologyDriver) => driver.read('out').map(({ value, timestamp }) => `${value}@${timestamp}`)

describe('join of two streams', () => {
  it('joins within asymmetric bounds, both inclusive, whichever side came first', () => {
    const driver = driverOf(left.pipe(join('j', right, pair, joinWindows({ before: 2, after: 5, grace: 10 }))))
    driver.pipe('left', 'a', 'L', 10)
    for (const timestamp of [7, 8, 15, 16]) driver.pipe('right', 'a', `r${timestamp}`, timestamp)
    expect(results(driver)).toEqual(['L&r8@10', 'L&r15@15'])
    driver.pipe('left', 'a', 'M', 18)
    expect(results(driver)).toEqual(['M&r16@18'])
  })

  it('keeps duplicates of one key and time in the order they came, over a restart too', () => {
    const driver = driverOf(left.pipe(join('j', right, pair, within(5))))
    for (const value of ['x', 'y', 'x']) driver.pipe('left', 'a', value, 1)
    driver.commit()
    driver.pipe('left', 'a', 'z', 1)
    driver.commit()
    driver.restart()
    driver.pipe('right', 'a', 'r', 2)
    expect(results(driver)).toEqual(['x&r@2', 'y&r@2', 'x&r@2', 'z&r@2'])
  })

  it('hands on what came too late to be kept, of either side, after it has met what was there', () => {
    const joined = left.pipe(join('j', right, pair, within(5)))
    const driver = new TopologyDriver(
      topology('app', [
        joined.pipe(to('out', { key: string(), value: string() })),
        joined.pipe(lateTo('late', { key: string(), value: string() })),
      ]),
    )
    driver.pipe('right', 'a', 'r', 89)
    driver.pipe('left', 'a', 'L', 100)
    driver.pipe('right', 'a', 's', 100)
    expect(results(driver)).toEqual(['L&s@100'])
    driver.pipe('left', 'a', 'old', 88)
    driver.pipe('right', 'a', 'older', 50)
    expect(results(driver)).toEqual([])
    expect(driver.read('late').map(({ value, timestamp }) => `${value}@${timestamp}`)).toEqual(['old@88', 'older@50'])
    expect(driver.droppedByReason().get('late')).toBe(2)
  })

  it('forgets what is too old, in the changelog too', () => {
    const driver = driverOf(left.pipe(outerJoin('j', right, pair, within(8))))
    for (let timestamp = 0; timestamp < 1000; timestamp++) {
      driver.pipe('left', `k${timestamp}`, 'v', timestamp)
      if (timestamp % 10 === 0) driver.commit()
    }
    driver.commit()
    expect(driver.store('j-left').length).toBeLessThan(30)
    expect(driver.store('j-left-unmatched').length).toBeLessThan(20)
    driver.restart()
    expect(driver.store('j-left').length).toBeLessThan(30)
    expect(driver.store('j-left-unmatched').length).toBeLessThan(20)
  })

  it('joins a record that is too old to be kept, and counts it', () => {
    const driver = driverOf(left.pipe(join('j', right, pair, within(5))))
    driver.pipe('right', 'a', 'r', 100)
    driver.pipe('left', 'b', 'new', 106)
    driver.pipe('left', 'a', 'edge', 95)
    expect(results(driver)).toEqual(['edge&r@100'])
    expect(driver.droppedByReason()).toEqual(new Map([['late', 1]]))
    driver.pipe('right', 'a', 'r2', 95)
    expect(results(driver)).toEqual([])
  })

  it('drops null keys and values, but joins an outer side with null', () => {
    const inner = driverOf(left.pipe(join('j', right, pair, within(5))))
    inner.pipe('left', null, 'v', 1)
    inner.pipe('left', 'a', null, 1)
    expect(inner.droppedByReason()).toEqual(
      new Map([
        ['null-key', 1],
        ['null-value', 1],
      ]),
    )
    const outer = driverOf(left.pipe(leftJoin('j', right, pair, within(5))))
    outer.pipe('left', null, 'v', 1)
    outer.pipe('right', null, 'v', 1)
    expect(outer.read('out').map(({ key, value }) => [key, value])).toEqual([[null, 'v&null']])
    expect(outer.dropped).toBe(1)
  })
})

describe('left and outer join', () => {
  it('gives a record without a partner once the window and the grace have passed, over a restart too', () => {
    const driver = driverOf(left.pipe(outerJoin('j', right, pair, joinWindows({ before: 1, after: 4, grace: 2 }))))
    driver.pipe('left', 'a', 'l', 10)
    driver.pipe('right', 'b', 'r', 10)
    driver.commit()
    driver.restart()
    driver.pipe('left', 'z', 'z', 13)
    expect(results(driver)).toEqual([])
    driver.pipe('right', 'y', 'y', 14)
    expect(results(driver)).toEqual(['null&r@10'])
    driver.commit()
    driver.restart()
    driver.pipe('right', 'y', 'y', 16)
    expect(results(driver)).toEqual([])
    driver.pipe('right', 'y', 'y', 17)
    expect(results(driver)).toEqual(['l&null@10'])
  })

  it('gives nothing alone that was matched, also when the match came after a restart', () => {
    const driver = driverOf(left.pipe(leftJoin('j', right, pair, within(5))))
    driver.pipe('left', 'a', 'l', 10)
    driver.commit()
    driver.restart()
    driver.pipe('right', 'a', 'r', 12)
    driver.commit()
    driver.restart()
    driver.pipe('left', 'b', 'later', 100)
    expect(results(driver)).toEqual(['l&r@12'])
  })
})

describe('self join', () => {
  it('keeps its records once, and joins each with itself once', () => {
    const driver = driverOf(left.pipe(join('j', left, pair, within(5))))
    driver.pipe('left', 'a', 'x', 1)
    driver.pipe('left', 'a', 'y', 4)
    expect(results(driver)).toEqual(['x&x@1', 'y&x@4', 'x&y@4', 'y&y@4'])
    driver.commit()
    expect(driver.store('j')).toHaveLength(2)
  })

  it('repartitions once when its key was changed', () => {
    const rekeyed = stream('in', { key: string(), value: string() }).pipe(selectKey((value) => value.slice(0, 1)))
    const joined = rekeyed.pipe(join('j', rekeyed, pair, within(5)), to('out', { key: string(), value: string() }))
    const driver = new TopologyDriver(topology('app', [joined]), { partitions: 3 })
    driver.pipe('in', 'k1', 'a1', 1)
    driver.pipe('in', 'k2', 'a2', 2)
    expect(results(driver).toSorted()).toEqual(['a1&a1@1', 'a1&a2@2', 'a2&a1@2', 'a2&a2@2'])
  })
})

describe('join options', () => {
  it('refuses windows that hold nothing', () => {
    expect(() => joinWindows({ before: 3, after: -4 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(() => within(-1)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(() => within(1, { grace: -1 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(joinWindows({ before: -1, after: 4 })).toMatchObject({ before: -1, after: 4, grace: 0 })
  })

  it('refuses a join without a name', () => {
    const joined = left.pipe(join('', right, pair, within(1)), to('out', { key: nullable(string()), value: json() }))
    expect(() => new TopologyDriver(topology('app', [joined]))).toThrow(/keeps state and needs a name/)
  })
})
