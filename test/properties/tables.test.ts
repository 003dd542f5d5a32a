import { describe, it } from 'vitest'
import {
  adding,
  aggregate,
  cogroup,
  count,
  custom,
  filter,
  groupBy,
  groupByKey,
  join,
  json,
  leftJoin,
  mapValues,
  outerJoin,
  reduce,
  string,
  sum,
  table,
  topK,
  toStream,
  toTable,
  untilTimeLimit,
} from '../../src/index.ts'
import type { ReplayRecord } from '../../src/testing/index.ts'
import { everyRecord, input, lastRows, other, records, rowsWithoutTimes } from './support.ts'

const read = (topic: string) => table(topic, { key: string(), value: json<number>(), store: topic })
const left = read('in')
const right = read('other')
const best = (value: number | null) => value
const pair = (l: number | null, r: number | null) => `${l}&${r}`

describe('the same whatever the runtime does', () => {
  it('table', () => lastRows(left))
  it('filter and mapValues of a table', () =>
    lastRows(
      left.pipe(
        filter((value) => value > 4),
        mapValues((value: number) => value * 2),
      ),
    ))
  it('toTable', () => lastRows(input.pipe(toTable('t'))))
  it('count', () => lastRows(input.pipe(groupByKey(), count('n'))))
  it('count behind a repartition', () =>
    lastRows(
      input.pipe(
        groupBy((value) => `${(value ?? 0) % 3}`),
        count('n'),
      ),
    ))
  it('reduce', () =>
    lastRows(
      input.pipe(
        groupByKey(),
        reduce('r', (a, b) => (a ?? 0) * 3 + (b ?? 0)),
      ),
    ))
  it('join of tables', () => lastRows(left.pipe(join('j', right, pair))))
  it('leftJoin of tables', () => lastRows(left.pipe(leftJoin('j', right, pair))))
  it('outerJoin of tables', () => lastRows(left.pipe(outerJoin('j', right, pair))))
  it('topK', () => lastRows(input.pipe(groupByKey(), topK('best', 2, best))))
  it('topK behind a repartition', () =>
    lastRows(
      input.pipe(
        groupBy((value) => `${(value ?? 0) % 3}`),
        topK('best', 2, best),
      ),
    ))
})

// A row that comes and goes between two commits is never seen by the group; neither is the time of it.
const groups = left.pipe(
  groupBy((value) => `${value % 3}`),
  aggregate('g', { n: count(), sum: sum((value) => value) }),
)

describe('an aggregation of a table', () => {
  it('is the same wherever each update is given out', () => lastRows(groups, { emit: 'update' }))
  it('is the same, but for groups without rows, where updates are held back until the commit', () =>
    rowsWithoutTimes(groups.pipe(filter(({ n }) => n > 0)), { ignoreStores: ['g'] }))
})

const plainSum = custom({
  init: () => 0,
  add: (total: number, value: number | null) => total + (value ?? 0),
  merge: (a: number, b: number) => a + b,
})
const both = cogroup<string | null, number | null, string | null, number, number>(
  'c',
  plainSum,
  adding(other.pipe(groupByKey()), (total: number, value: number | null) => total + 100 * (value ?? 0)),
)

describe('cogroup', () => {
  it('is the same whatever the runtime does', () => lastRows(input.pipe(groupByKey(), both)))
  it('is the same however fast upstream tasks are', () =>
    lastRows(
      input.pipe(
        groupBy((value) => `${(value ?? 0) % 3}`),
        both,
      ),
    ))
})

describe('untilTimeLimit', () => {
  const counts = input.pipe(groupByKey(), count('n'))

  it('gives the same updates', () => everyRecord(counts.pipe(untilTimeLimit(15), toStream()), { emit: 'update' }))
  it('gives the same updates, with a bound', () =>
    everyRecord(counts.pipe(untilTimeLimit(40, { maxRecords: 2 }), toStream()), { emit: 'update' }))
  it('gives out every last row once time has gone on, though what came before is held back until the commit', () => {
    // By keys that every partition has one of: behind all else in time.
    const flush = Array.from(
      { length: 16 },
      (_, i): ReplayRecord => ({ topic: 'in', key: `flush-${i}`, value: 1, timestamp: 100_000 }),
    )
    return everyRecord(
      counts.pipe(
        untilTimeLimit(15),
        filter((_, key) => key?.startsWith('flush') === false),
        toStream(),
      ),
      {
        input: records('in').map((list) => [...list, ...flush]),
        outputs: { out: 'latest' },
        ignoreStores: ['n-time-limit'],
      },
    )
  })
})
