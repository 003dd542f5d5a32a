import { describe, it } from 'vitest'
import { join, joinWindows, json, leftJoin, outerJoin, selectKey, string, table, within } from '../../src/index.ts'
import { everyRecord, input, other } from './support.ts'

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
