import { describe, it } from 'vitest'
import {
  adding,
  aggregate,
  cogroup,
  count,
  custom,
  groupBy,
  groupByKey,
  hopping,
  session,
  sliding,
  sum,
  type Table,
  topK,
  tumbling,
  unlimited,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windowedBy,
} from '../../src/index.ts'
import { finalResults, input, lastResults, other } from './support.ts'

const GRACE = 8
const closing: Readonly<Record<string, Windows>> = {
  tumbling: tumbling(10, { grace: GRACE }),
  hopping: hopping(12, { advance: 5, grace: GRACE }),
  sliding: sliding(7, { grace: GRACE }),
  session: session(6, { grace: GRACE }),
}
const all = { ...closing, unlimited: unlimited({ start: 10 }) }

const sums = (windows: Windows): Table<Windowed<string | null>, { n: number; sum: number }> =>
  input.pipe(groupByKey(), windowedBy(windows), aggregate('sums', { n: count(), sum: sum((value) => value ?? 0) }))
const sumsOfOthers = (windows: Windows): Table<Windowed<string>, { n: number; sum: number }> =>
  input.pipe(
    groupBy((value) => `${(value ?? 0) % 3}`),
    windowedBy(windows),
    aggregate('sums', { n: count(), sum: sum((value) => value ?? 0) }),
  )

describe('the same whatever the runtime does', () => {
  it.each(Object.entries(all))('%s', (_, windows) => lastResults(sums(windows)))
  it.each(Object.entries(closing))('%s, final results', (_, windows) =>
    finalResults(sums(windows).pipe(untilWindowCloses())),
  )
})

describe('the same however fast upstream tasks are', () => {
  it.each(Object.entries(all))('%s', (_, windows) => lastResults(sumsOfOthers(windows)))
  it.each(Object.entries(closing))('%s, final results', (_, windows) =>
    finalResults(sumsOfOthers(windows).pipe(untilWindowCloses())),
  )
})

describe('the same in any order within the grace', () => {
  it.each(Object.entries(all))('%s', (_, windows) => lastResults(sums(windows), { orderFreeWithin: GRACE }))
  it.each(Object.entries(closing))('%s, final results', (_, windows) =>
    finalResults(sums(windows).pipe(untilWindowCloses()), { orderFreeWithin: GRACE }),
  )
  it.each(Object.entries(closing))('%s, final results behind a repartition', (_, windows) =>
    finalResults(sumsOfOthers(windows).pipe(untilWindowCloses()), { orderFreeWithin: GRACE }),
  )
})

const plainSum = custom({
  init: () => 0,
  add: (total: number, value: number | null) => total + (value ?? 0),
  merge: (a: number, b: number) => a + b,
})
const added = adding(other.pipe(groupByKey()), (total: number, value: number | null) => total + 100 * (value ?? 0))
const together = (windows: Windows) => input.pipe(groupByKey(), windowedBy(windows), cogroup('both', plainSum, added))
const othersTogether = (windows: Windows) =>
  input.pipe(
    groupBy((value) => 'abcd'[(value ?? 0) % 4]),
    windowedBy(windows),
    cogroup('both', plainSum, added),
  )
const best = (windows: Windows) =>
  input.pipe(
    groupByKey(),
    windowedBy(windows),
    topK('best', 2, (value) => value),
  )

describe.each(Object.entries(closing))('cogroup and topK over %s windows', (_, windows) => {
  it('cogroup: results', () => lastResults(together(windows)))
  it('cogroup: final results', () => finalResults(together(windows).pipe(untilWindowCloses())))
  it('cogroup: final results however fast upstream tasks are', () =>
    finalResults(othersTogether(windows).pipe(untilWindowCloses())))
  it('cogroup: final results in any order within the grace', () =>
    finalResults(together(windows).pipe(untilWindowCloses()), { orderFreeWithin: GRACE }))
  it('topK: final results in any order within the grace', () =>
    finalResults(best(windows).pipe(untilWindowCloses()), { orderFreeWithin: GRACE }))
})
