import fc from 'fast-check'
import {
  groupByKey,
  json,
  reduce,
  stream,
  string,
  type TimeLimitOptions,
  to,
  topology,
  toStream,
  untilTimeLimit,
} from 'millrace'
import { TopologyDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'

const limited = (limit: number, options?: TimeLimitOptions) =>
  topology('limited', [
    stream('input', { key: string(), value: string() }).pipe(
      groupByKey(),
      reduce('latest', (_, value) => value),
      untilTimeLimit(limit, options),
      toStream(),
      to('output', { key: string(), value: json<string>() }),
    ),
  ])

const read = (driver: TopologyDriver) =>
  driver.read<string, string>('output').map(({ key, value, timestamp }) => `${key}=${value}@${timestamp}`)

describe('untilTimeLimit', () => {
  it('gives the last of the updates of a key, once the limit has passed since the first', () => {
    const driver = new TopologyDriver(limited(10))
    driver.pipe('input', 'a', 'x', 0)
    driver.pipe('input', 'a', 'y', 9)
    driver.pipe('input', 'b', 'z', 9)
    expect(read(driver)).toEqual([])
    driver.pipe('input', 'c', 'w', 10)
    expect(read(driver)).toEqual(['a=y@9'])
  })

  it('orders by the time of the first update, then by key', () => {
    const driver = new TopologyDriver(limited(10))
    for (const key of ['b', 'a', 'c']) driver.pipe('input', key, 'x', 5)
    driver.pipe('input', 'd', 'x', 3)
    driver.pipe('input', 'b', 'y', 6)
    driver.pipe('input', 'e', 'x', 100)
    expect(read(driver)).toEqual(['d=x@3', 'a=x@5', 'b=y@6', 'c=x@5'])
  })

  it('holds back over a restart, with the times it had', () => {
    const driver = new TopologyDriver(limited(10))
    driver.pipe('input', 'a', 'x', 0)
    driver.pipe('input', 'a', 'y', 8)
    driver.commit()
    driver.restart()
    expect(read(driver)).toEqual([])
    driver.pipe('input', 'b', 'z', 10)
    expect(read(driver)).toEqual(['a=y@8'])
    driver.commit()
    driver.restart()
    driver.pipe('input', 'b', 'w', 20)
    expect(read(driver)).toEqual(['b=w@20'])
  })

  it.each([{ maxRecords: 2 }, { maxBytes: 25 }])('gives the oldest out early with %o', (bound) => {
    const driver = new TopologyDriver(limited(1000, bound))
    for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) driver.pipe('input', key, 'x', i)
    expect(read(driver)).toEqual(['a=x@0', 'b=x@1'])
    driver.commit()
    driver.restart()
    driver.pipe('input', 'e', 'x', 5)
    expect(read(driver)).toEqual(['c=x@2'])
  })

  it('stops when it is full, whatever the policy for records that fail', () => {
    const driver = new TopologyDriver(limited(1000, { maxRecords: 1, whenFull: 'stop' }), {
      errors: { failing: 'skip' },
    })
    driver.pipe('input', 'a', 'x', 0)
    expect(() => driver.pipe('input', 'b', 'y', 1)).toThrow(expect.objectContaining({ code: 'BUFFER_FULL' }))
  })

  it('is the same wherever the commits and restarts are', () => {
    const record = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(60), fc.constantFrom('', 'commit', 'restart'))
    fc.assert(
      fc.property(fc.array(record, { maxLength: 40 }), fc.nat(20), fc.option(fc.nat(3)), (records, limit, bound) => {
        const options = bound === null ? {} : { maxRecords: bound }
        const plain = new TopologyDriver(limited(limit, options))
        const shaken = new TopologyDriver(limited(limit, options))
        for (const [i, [key, timestamp, then]] of records.entries()) {
          plain.pipe('input', key, String(i), timestamp)
          shaken.pipe('input', key, String(i), timestamp)
          if (then !== '') shaken.commit()
          if (then === 'restart') shaken.restart()
        }
        expect(read(shaken)).toEqual(read(plain))
      }),
    )
  })

  it.each([
    ['a negative limit', () => untilTimeLimit(-1)],
    ['half a record', () => untilTimeLimit(1, { maxRecords: 0.5 })],
  ])('refuses %s', (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })
})
