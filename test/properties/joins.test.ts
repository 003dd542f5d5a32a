import { describe, it } from 'vitest'
import {
  foreignKeyJoin,
  globalTable,
  join,
  joinWindows,
  json,
  leftForeignKeyJoin,
  leftJoin,
  outerJoin,
  selectKey,
  string,
  table,
  within,
} from '../../src/index.ts'
import { apart, everyRecord, inOrder, input, other, records, rowsWithoutTimes, SPREAD } from './support.ts'

const pair = (left: number | null, right: number | null) => `${left}&${right}`
const windows = joinWindows({ before: 5, after: 8, grace: 3 })
const rekey = selectKey((value: number | null) => `${(value ?? 0) % 3}`)
const byValue = input.pipe(rekey)
const users = table('other', { key: string(), value: json<number>(), store: 'users' })
const versioned = table('other', { key: string(), value: json<number>(), store: 'users', historyRetention: 30 })

describe('the same whatever the runtime does', () => {
  it('join', () => everyRecord(input.pipe(join('j', other, pair, windows))))
  it('leftJoin', () => everyRecord(input.pipe(leftJoin('j', other, pair, windows))))
  it('outerJoin', () => everyRecord(input.pipe(outerJoin('j', other, pair, windows))))
  it('join of a stream with itself', () => everyRecord(input.pipe(join('j', input, pair, within(6)))))
  it('join of a stream with a table', () => everyRecord(input.pipe(join('j', users, pair))))
  it('join of a stream with a versioned table', () => everyRecord(input.pipe(join('j', versioned, pair))))
  it('leftJoin of a stream with a versioned table, with grace', () =>
    everyRecord(input.pipe(leftJoin('j', versioned, pair, { grace: 12 }))))
  it('leftJoin of a stream with a table', () => everyRecord(input.pipe(leftJoin('j', users, pair))))
})

describe('the same however fast upstream tasks are', () => {
  it('join', () => everyRecord(byValue.pipe(join('j', other.pipe(rekey), pair, windows))))
  it('leftJoin', () => everyRecord(byValue.pipe(leftJoin('j', other.pipe(rekey), pair, windows))))
  it('outerJoin', () => everyRecord(byValue.pipe(outerJoin('j', other.pipe(rekey), pair, windows))))
  it('one side repartitioned', () => everyRecord(byValue.pipe(outerJoin('j', other, pair, windows))))
  it('join of a stream with itself', () => everyRecord(byValue.pipe(join('j', byValue, pair, within(6)))))
})

const countries = globalTable('other', { key: string(), value: json<number>(), store: 'countries' })
const nameOf = (value: number | null) => 'abcdef'[value ?? 5]

describe('with a global table, the same whatever the runtime does', () => {
  it('join', () => everyRecord(input.pipe(join(countries, nameOf, pair))))
  it('leftJoin', () => everyRecord(input.pipe(leftJoin(countries, nameOf, pair))))
  it('join behind a repartition', () => everyRecord(byValue.pipe(join(countries, nameOf, pair))))
})

// A history that reaches back to the beginning: how far ahead the table is when a record is joined is nobody's matter.
const remembering = table('other', { key: string(), value: json<number>(), store: 'users', historyRetention: 100_000 })
const keyed = input.pipe(selectKey((value) => 'abcd'[(value ?? 0) % 4]))

describe('as of the time of the record', () => {
  const GRACE = 12
  const inTime = { input: inOrder('other', records('in', 'other')) }

  // Of rows with one time the last to arrive holds.
  const anyOrder = { input: apart(records('in', 'other')), orderFreeWithin: GRACE * SPREAD - 1 }

  it('join with grace, in any order within it', () =>
    everyRecord(input.pipe(join('j', remembering, pair, { grace: GRACE * SPREAD })), anyOrder))
  it('leftJoin with grace, in any order within it', () =>
    everyRecord(input.pipe(leftJoin('j', remembering, pair, { grace: GRACE * SPREAD })), anyOrder))
  it('join with grace, however fast upstream tasks are', () =>
    everyRecord(keyed.pipe(join('j', remembering, pair, { grace: GRACE })), inTime))
  it('leftJoin with grace, however fast upstream tasks are', () =>
    everyRecord(keyed.pipe(leftJoin('j', remembering, pair, { grace: GRACE })), inTime))
  it('join without grace, however fast upstream tasks are', () =>
    everyRecord(keyed.pipe(join('j', remembering, pair)), inTime))
})

describe('streams, in any order within the grace', () => {
  const GRACE = 3
  const orderFreeWithin = { orderFreeWithin: GRACE }
  it('join', () => everyRecord(input.pipe(join('j', other, pair, windows)), orderFreeWithin))
  it('leftJoin', () => everyRecord(input.pipe(leftJoin('j', other, pair, windows)), orderFreeWithin))
  it('outerJoin', () => everyRecord(input.pipe(outerJoin('j', other, pair, windows)), orderFreeWithin))
  it('join of a stream with itself', () =>
    everyRecord(input.pipe(join('j', input, pair, within(6, { grace: GRACE }))), orderFreeWithin))
  it('outerJoin behind repartitions', () =>
    everyRecord(byValue.pipe(outerJoin('j', other.pipe(rekey), pair, windows)), orderFreeWithin))
})

const left = table('in', { key: string(), value: json<number>(), store: 'left' })
const foreignKey = (value: number) => 'abcd'[value] ?? null
// Which side an answer found first says which time it has, as in Kafka Streams.
const untimed = { ignoreStores: ['j'] }

describe('by foreign key, the same whatever the runtime does', () => {
  it('foreignKeyJoin', () => rowsWithoutTimes(left.pipe(foreignKeyJoin('j', users, foreignKey, pair)), untimed))
  it('leftForeignKeyJoin', () => rowsWithoutTimes(left.pipe(leftForeignKeyJoin('j', users, foreignKey, pair)), untimed))
  it('of a table with itself', () =>
    rowsWithoutTimes(left.pipe(leftForeignKeyJoin('j', left, foreignKey, pair)), untimed))
})
