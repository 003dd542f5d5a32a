import { describe, expect, it } from 'vitest'
import {
  count,
  filter,
  groupByKey,
  join,
  json,
  leftJoin,
  nullable,
  outerJoin,
  type Stream,
  selectKey,
  stream,
  string,
  table,
  to,
  topology,
  within,
} from '../../../src/index.ts'
import { TopologyDriver } from '../../../src/testing/index.ts'

type User = { country: string }
const users = table('users', { key: string(), value: json<User>(), store: 'users' })
const payments = stream('payments', { key: nullable(string()), value: nullable(json<number>()) })
const driverOf = (joined: Stream<string | null, string>, partitions = 1) =>
  new TopologyDriver(topology('app', [joined.pipe(to('out', { key: string(), value: string() }))]), { partitions })
const results = (driver: TopologyDriver) => driver.read('out').map(({ value, timestamp }) => `${value}@${timestamp}`)
const fromTo = (amount: number, user: User | null) => `${amount} from ${user?.country ?? 'nowhere'}`

describe('join of a stream with a table', () => {
  it('takes the row there is now, and is not triggered by the table', () => {
    const driver = driverOf(payments.pipe(join('payers', users, fromTo)))
    driver.pipe('payments', 'ada', 1, 10)
    driver.pipe('users', 'ada', { country: 'UK' }, 20)
    driver.pipe('payments', 'ada', 2, 5)
    driver.pipe('users', 'ada', null, 30)
    driver.pipe('payments', 'ada', 3, 40)
    expect(results(driver)).toEqual(['2 from UK@5'])
  })

  it('left: joins with null where there is no row, and a null key too', () => {
    const driver = driverOf(payments.pipe(leftJoin('payers', users, fromTo)))
    driver.pipe('payments', 'ada', 1, 10)
    driver.pipe('payments', null, 2, 11)
    driver.pipe('payments', 'ada', null, 12)
    expect(results(driver)).toEqual(['1 from nowhere@10', '2 from nowhere@11'])
    expect(driver.droppedByReason()).toEqual(new Map([['null-value', 1]]))
  })

  it('finds rows after a restart, and rows that a commit has not given out yet', () => {
    const joined = payments.pipe(join('payers', users, fromTo), to('out', { key: string(), value: string() }))
    const driver = new TopologyDriver(topology('app', [joined]), { emit: 'commit' })
    driver.pipe('users', 'ada', { country: 'UK' }, 1)
    driver.pipe('payments', 'ada', 1, 2)
    driver.commit()
    driver.restart()
    driver.pipe('payments', 'ada', 2, 3)
    expect(results(driver)).toEqual(['1 from UK@2', '2 from UK@3'])
  })

  it('joins with the table of an aggregation', () => {
    const perUser = payments.pipe(groupByKey(), count('per-user'))
    const driver = driverOf(payments.pipe(join('numbered', perUser, (amount, n) => `${amount} is number ${n}`)))
    driver.pipe('payments', 'ada', 7, 1)
    driver.pipe('payments', 'ada', 8, 2)
    expect(results(driver).length).toBe(2)
  })

  it('repartitions a stream whose key was changed, to the partitions of the table', () => {
    const rekeyed = payments.pipe(selectKey((amount) => (amount! > 5 ? 'big' : 'small')))
    const driver = driverOf(rekeyed.pipe(join('payers', users, fromTo)), 4)
    for (const [i, key] of ['big', 'small'].entries()) {
      for (let partition = 0; partition < 4; partition++) {
        driver.pipeBytes('users', Buffer.from(key), Buffer.from(`{"country":"${key}"}`), i, [], partition)
      }
    }
    driver.pipe('payments', 'x', 9, 10)
    driver.pipe('payments', 'y', 1, 10)
    expect(results(driver).toSorted()).toEqual(['1 from small@10', '9 from big@10'])
  })

  it('takes the row of a versioned table as of the time of the record, and waits for the grace, over a restart too', () => {
    const versions = table('users', { key: string(), value: json<User>(), store: 'users', historyRetention: 100 })
    const abroad = versions.pipe(filter((user) => user.country !== 'UK'))
    const driver = driverOf(payments.pipe(leftJoin('payers', abroad, fromTo, { grace: 10 })))
    driver.pipe('users', 'ada', { country: 'FR' }, 20)
    driver.pipe('payments', 'ada', 1, 22)
    driver.pipe('payments', 'ada', 2, 18)
    driver.commit()
    driver.restart()
    driver.pipe('users', 'ada', { country: 'UK' }, 21)
    driver.pipe('users', 'ada', { country: 'IT' }, 15)
    expect(results(driver)).toEqual([])
    driver.pipe('payments', 'bob', 3, 32)
    expect(results(driver)).toEqual(['2 from IT@18', '1 from nowhere@22'])
    driver.pipe('payments', 'ada', 4, 20)
    expect(results(driver)).toEqual(['4 from FR@20'])
  })

  it('refuses what cannot be joined', () => {
    const plan = (joined: Stream<string | null, string>) => () => driverOf(joined)
    expect(plan(payments.pipe(join('', users, fromTo)))).toThrow(/needs a name/)
    expect(plan(payments.pipe(join('payers', users, fromTo, { grace: 10 })))).toThrow(/versioned table/)
    // @ts-expect-error an outer join would need a time for the rows
    expect(() => payments.pipe(outerJoin('x', users, fromTo))).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
    // @ts-expect-error streams need a window
    expect(() => payments.pipe(join('x', payments, fromTo))).toThrow(/window of time/)
    // @ts-expect-error a table is no stream
    expect(() => users.pipe(join('x', payments, fromTo, within(1)))).toThrow(/left side is a table/)
    expect(() =>
      driverOf(payments.pipe(join('x', table('b', { key: string(), value: json<User>(), store: 'b' }), fromTo))),
    ).not.toThrow()
  })
})
