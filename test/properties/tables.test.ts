import { describe, it } from 'vitest'
import {
  count,
  deduplicate,
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
  table,
  toTable,
} from '../../src/index.ts'
import { everyRecord, input, lastRows } from './support.ts'

const read = (topic: string) => table(topic, { key: string(), value: json<number>(), store: topic })
const left = read('in')
const right = read('other')
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
  it('deduplicate', () => everyRecord(input.pipe(deduplicate('d', { by: (value) => `${value}`, within: 20 }))))
})
