import { bufferCount, delay, filter, map, mergeMap, of, take, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { mapValues, rx, type Stream, stream, string, to, topology } from '../../src/index.ts'
import { type DriverOptions, TopologyDriver } from '../../src/testing/index.ts'

const texts = { key: string(), value: string() }

function driverOf(operator: (stream: Stream<string, string>) => Stream<string, string>, options?: DriverOptions) {
  return new TopologyDriver(topology('rx', [stream('in', texts).pipe(operator, to('out', texts))]), options)
}

const out = (driver: TopologyDriver) => driver.read('out').map(({ key, value, timestamp }) => [key, value, timestamp])

describe('rx', () => {
  it('puts values through operators, each under the key and time of its record', () => {
    const driver = driverOf(
      rx((line$) =>
        line$.pipe(
          mergeMap((line) => line.split(' ')),
          filter((word) => word.length > 1),
          map((word) => word.toUpperCase()),
        ),
      ),
    )
    driver.pipe('in', 'a', 'to be or', 1)
    driver.commit()
    driver.pipe('in', 'b', 'x not', 2)
    expect(out(driver)).toEqual([
      ['a', 'TO', 1],
      ['a', 'BE', 1],
      ['a', 'OR', 1],
      ['b', 'NOT', 2],
    ])
  })

  it('gives out at the commit what operators hold back, so that nothing is lost', () => {
    const driver = driverOf(
      rx((value$) =>
        value$.pipe(
          bufferCount(2),
          map((values) => values.join('+')),
        ),
      ),
    )
    for (const value of ['1', '2', '3']) driver.pipe('in', 'k', value, Number(value))
    expect(out(driver)).toEqual([['k', '1+2', 2]])
    driver.commit()
    expect(out(driver)).toEqual([['k', '3', 3]])
    driver.commit()
    driver.pipe('in', 'k', '4', 4)
    driver.restart()
    driver.commit()
    expect(out(driver)).toEqual([['k', '4', 4]])
  })

  it('refuses what takes time or ends early', () => {
    const late = driverOf(rx((value$) => value$.pipe(delay(1))))
    late.pipe('in', 'k', 'a', 1)
    expect(() => late.commit()).toThrow(/later than the call.*mapAsync/s)
    const early = driverOf(rx((value$) => value$.pipe(take(1))))
    expect(() => early.pipe('in', 'k', 'a', 1)).toThrow(/ended before their batch/)
  })

  it('fails the record whose chain fails, and goes on with the next', () => {
    const driver = driverOf(
      rx((value$) =>
        value$.pipe(mergeMap((value) => (value === 'bad' ? throwError(() => new Error('no')) : of(value)))),
      ),
      { errors: { failing: 'dead-letter' } },
    )
    for (const value of ['a', 'bad', 'b']) driver.pipe('in', 'k', value, 1)
    expect(out(driver).map(([, value]) => value)).toEqual(['a', 'b'])
    expect(driver.deadLetters().map(({ value }) => String(value))).toEqual(['bad'])
  })

  it('fails the record, too, that what follows fails on', () => {
    const driver = driverOf(
      (lines) =>
        lines.pipe(
          rx((value$) => value$),
          mapValues((value) => {
            if (value === 'bad') throw new Error('no')
            return value
          }),
        ),
      { errors: { failing: 'dead-letter' } },
    )
    for (const value of ['a', 'bad', 'b']) driver.pipe('in', 'k', value, 1)
    expect(out(driver).map(([, value]) => value)).toEqual(['a', 'b'])
    expect(driver.deadLetters().map(({ value }) => String(value))).toEqual(['bad'])
  })
})
