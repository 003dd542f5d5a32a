import { describe, it } from 'vitest'
import {
  aggregate,
  count,
  groupBy,
  groupByKey,
  hopping,
  session,
  sliding,
  sum,
  type Table,
  tumbling,
  unlimited,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windowedBy,
} from '../../src/index.ts'
import { finalResults, input, lastResults } from './support.ts'

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
