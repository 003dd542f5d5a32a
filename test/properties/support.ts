import fc from 'fast-check'
import {
  json,
  map,
  nullable,
  plan,
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
const records = (...topics: readonly string[]): fc.Arbitrary<ReplayRecord[]> =>
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

const RUNS = 100

/** A stream's every record is the same. */
export function everyRecord<K extends string | null>(of: Stream<K, unknown>, checks: Partial<ReplayChecks> = {}) {
  const app = topology('app', [of.pipe(to('out', { key: string(), value: json() }))])
  const read = plan(app).subtopologies.flatMap(({ sources }) => sources.filter(({ from }) => from === undefined))
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
