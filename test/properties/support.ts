import { env } from 'node:process'
import fc from 'fast-check'
import {
  json,
  map,
  nullable,
  plan,
  process,
  type Stream,
  stream,
  string,
  type Table,
  to,
  topology,
  toStream,
  type Windowed,
} from '../../src/index.ts'
import { checkReplays, type ReplayChecks, type ReplayRecord } from '../../src/testing/index.ts'

export const input = stream('in', { key: nullable(string()), value: nullable(json<number>()) })
export const other = stream('other', { key: nullable(string()), value: nullable(json<number>()) })

/** Records near each other in time, out of order, with nulls here and there and now and then a leap. */
export const records = (...topics: readonly string[]): fc.Arbitrary<ReplayRecord[]> =>
  fc
    .array(
      fc.record({
        topic: fc.constantFrom(...topics),
        key: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: null, freq: 12 }),
        value: fc.option(fc.nat(9), { nil: null, freq: 12 }),
        step: fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: -9, max: 9 }) },
          { weight: 1, arbitrary: fc.constant(60) },
        ),
      }),
      { maxLength: 40 },
    )
    .map((steps) => {
      let time = 20
      return steps.map(({ step, ...record }) => {
        time = Math.max(0, time + step)
        return { ...record, timestamp: time }
      })
    })

/** Cases of each property. `MILLRACE_RUNS=5000 npm run vitest -- run --project unit test/properties` for a long look. */
const RUNS = Number(env.MILLRACE_RUNS ?? 100)

/** Each at a time of its own, in the same order: where the last of equal ones wins, which is last depends on the order. */
export const apart = (of: fc.Arbitrary<ReplayRecord[]>): fc.Arbitrary<ReplayRecord[]> =>
  of.map((list) => list.map((record, i) => ({ ...record, timestamp: record.timestamp * SPREAD + i })))
export const SPREAD = 50

/** The records of one topic in the order of time, the others as they are. */
export const inOrder = (topic: string, of: fc.Arbitrary<ReplayRecord[]>): fc.Arbitrary<ReplayRecord[]> =>
  of.map((list) => {
    const times = list.filter((record) => record.topic === topic).map(({ timestamp }) => timestamp)
    const sorted = times.sort((a, b) => b - a)
    return list.map((record) => (record.topic === topic ? { ...record, timestamp: sorted.pop()! } : record))
  })

/** A stream's every record is the same. */
export function everyRecord<K extends string | null>(of: Stream<K, unknown>, checks: Partial<ReplayChecks> = {}) {
  const app = topology('app', [of.pipe(to('out', { key: string(), value: json() }))])
  const { subtopologies, globals } = plan(app)
  const read = [...subtopologies.flatMap(({ sources }) => sources.filter(({ from }) => from === undefined)), ...globals]
  return checkReplays(app, { input: records(...read.map(({ topic }) => topic)), runs: RUNS, ...checks })
}

/** A table's last row of each key is the same. */
export const lastRows = <K extends string | null>(of: Table<K, unknown>, checks: Partial<ReplayChecks> = {}) =>
  everyRecord(of.pipe(toStream()), { outputs: { out: 'latest' }, ...checks })

/** The window as a part of the key, so that results of any kind of window can be written. */
const named = map<Windowed<string | null>, unknown, string, unknown>((value, { key, window }) => [
  `${key} in [${window.start}, ${window.end}]`,
  value,
])

/** A windowed table's last result of each window is the same. */
export const lastResults = (of: Table<Windowed<string | null>, unknown>, checks: Partial<ReplayChecks> = {}) =>
  everyRecord(of.pipe(toStream(), named), { outputs: { out: 'latest' }, ...checks })

/** Every final result is the same. */
export const finalResults = (of: Stream<Windowed<string | null>, unknown>, checks: Partial<ReplayChecks> = {}) =>
  everyRecord(of.pipe(named), checks)

/** A table's last row of each key is the same, but for its timestamp. */
export const rowsWithoutTimes = <K extends string | null>(of: Table<K, unknown>, checks: Partial<ReplayChecks> = {}) =>
  everyRecord(
    of.pipe(
      toStream(),
      process<K, unknown>('untimed', {}, ({ forward }) => ({
        process: (value, key) => forward(key, value, { timestamp: 0 }),
      })),
    ),
    { outputs: { out: 'latest' }, ...checks },
  )
