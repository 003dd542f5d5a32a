import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filter, json, mapValues, stream, string, table, to, topology, toStream } from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

type User = { name: string; age: number }
const serdes = { key: string(), value: json<User>() }
const out = { key: string(), value: json<User>() }

const users = table('users', { ...serdes, store: 'users' })
const plain = topology('plain', [users.pipe(toStream(), to('out', out))])

const seen = (driver: TopologyDriver, topic = 'out') =>
  driver.read<string, unknown>(topic).map(({ key, value, timestamp }) => [key, value, timestamp])

const ada = { name: 'Ada', age: 36 }
const bob = { name: 'Bob', age: 17 }

describe('table', () => {
  it('holds the latest row per key, by arrival; null deletes', () => {
    const driver = new TopologyDriver(plain)
    driver.pipe('users', 'a', ada, 10)
    driver.pipe('users', 'a', bob, 5)
    driver.pipe('users', 'b', bob, 6)
    driver.pipe('users', 'b', null, 7)
    driver.pipe('users', 'c', null, 8)
    expect(seen(driver)).toEqual([
      ['a', ada, 10],
      ['a', bob, 5],
      ['b', bob, 6],
      ['b', null, 7],
      ['c', null, 8],
    ])
    expect(driver.store('users')).toEqual([{ key: 'a', start: 0, value: bob, timestamp: 5 }])
  })

  it('drops and counts null keys, and sends what it cannot decode to the dead letters', () => {
    const driver = new TopologyDriver(plain)
    driver.pipe('users', 'a', ada, 1)
    driver.pipe('users', null, bob, 2)
    driver.pipeBytes('users', Buffer.from('a'), Buffer.from('{'), 3)
    expect(driver.droppedByReason()).toEqual(new Map([['null-key', 1]]))
    expect(driver.deadLetters().length).toBe(1)
    expect(driver.store('users').map(({ value }) => value)).toEqual([ada])
  })

  it('gives one update per key and commit where updates are held back', () => {
    const driver = new TopologyDriver(plain, { emit: 'commit' })
    driver.pipe('users', 'a', ada, 1)
    driver.pipe('users', 'a', bob, 2)
    driver.pipe('users', 'b', bob, 3)
    driver.pipe('users', 'b', null, 4)
    expect(seen(driver)).toEqual([])
    driver.commit()
    expect(seen(driver)).toEqual([['a', bob, 2]])
  })

  it('comes back from its changelog, deletions included', () => {
    const driver = new TopologyDriver(plain)
    driver.pipe('users', 'a', ada, 1)
    driver.pipe('users', 'b', bob, 2)
    driver.commit()
    driver.pipe('users', 'b', null, 3)
    driver.commit()
    driver.restart()
    expect(driver.store('users')).toEqual([{ key: 'a', start: 0, value: ada, timestamp: 1 }])
  })

  it('shares its topic with another table and a stream', () => {
    const again = table('users', { ...serdes, store: 'users-again' })
    const driver = new TopologyDriver(
      topology('two', [
        users.pipe(toStream(), to('out', out)),
        again.pipe(
          filter((user) => user.age >= 18),
          toStream(),
          to('adults', out),
        ),
        stream('users', serdes).pipe(to('raw', out)),
      ]),
    )
    driver.pipe('users', 'a', ada, 1)
    driver.pipe('users', 'b', bob, 2)
    expect(seen(driver)).toEqual([
      ['a', ada, 1],
      ['b', bob, 2],
    ])
    expect(seen(driver, 'adults')).toEqual([['a', ada, 1]])
    expect(seen(driver, 'raw').length).toBe(2)
    expect(driver.store('users-again').length).toBe(2)
  })

  it('is refused without a name for its store', () => {
    const unnamed = table('users', { ...serdes, store: '' })
    expect(() => new TopologyDriver(topology('t', [unnamed.pipe(toStream(), to('out', out))]))).toThrow(
      /store: 'my-name'/,
    )
  })
})

const numbers = table('input', { key: string(), value: json<number>(), store: 'numbers' })
const evens = topology('evens', [
  numbers.pipe(
    filter((n) => n % 2 === 0),
    mapValues((n) => n * 10),
    filter((n) => n < 60),
    toStream(),
    to('out', { key: string(), value: json<number>() }),
  ),
])

describe('filter and mapValues on a table', () => {
  it('delete a row that no longer passes only if it had passed', () => {
    const driver = new TopologyDriver(evens)
    for (const [i, n] of [1, 2, 4, 3, 5, null, 8, 2].entries()) driver.pipe('input', 'a', n, i)
    expect(seen(driver)).toEqual([
      ['a', 20, 1],
      ['a', 40, 2],
      ['a', null, 3],
      ['a', 20, 7],
    ])
  })

  it('know after a restart what had passed before', () => {
    const driver = new TopologyDriver(evens)
    driver.pipe('input', 'a', 2, 1)
    driver.commit()
    driver.restart()
    seen(driver)
    driver.pipe('input', 'a', 3, 2)
    expect(seen(driver)).toEqual([['a', null, 2]])
  })

  const update = fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.option(fc.nat(9), { nil: null }),
    next: fc.constantFrom('nothing', 'nothing', 'commit', 'restart'),
  })
  it.each(['update', 'commit'] as const)('equal a plain model at every commit, emitting per %s', (emit) => {
    fc.assert(
      fc.property(fc.array(update, { maxLength: 30 }), (updates) => {
        const driver = new TopologyDriver(evens, { emit })
        const model = new Map<string, number>()
        const view = new Map<string, unknown>()
        const look = () => {
          for (const [key, value] of seen(driver)) {
            if (value === null) expect(view.delete(key as string)).toBe(true)
            else view.set(key as string, value)
          }
        }
        updates.forEach(({ key, value, next }, i) => {
          driver.pipe('input', key, value, i)
          if (value !== null && value % 2 === 0 && value * 10 < 60) model.set(key, value * 10)
          else model.delete(key)
          if (next === 'nothing') return
          driver.commit()
          look()
          expect(view).toEqual(model)
          if (next === 'restart') driver.restart()
        })
      }),
      { numRuns: 300 },
    )
  })
})
