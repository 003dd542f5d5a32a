import {
  aggregate,
  type Grouped,
  groupByKey,
  hopping,
  json,
  nullable,
  type Output,
  reduce,
  type Serde,
  session,
  sessionWindowed,
  sliding,
  stream,
  string,
  type Table,
  to,
  topology,
  toStream,
  tumbling,
  unlimited,
  untilTimeLimit,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windowed,
  windowedBy,
} from 'millrace'
import { AGGREGATIONS, REDUCERS } from '../aggregations.ts'
import type { FixtureValue, Operator } from '../fixture.ts'
import type { Built, Family } from '../run.ts'

export type Value = string | number | null

interface WindowKind {
  readonly windows: Windows
  readonly endOf: NonNullable<Built['endOf']>
  readonly key: Serde<Windowed<string | null>>
}

export const KEY = nullable(string())
export const VALUE = nullable(json<string | number>())

/** The windows that a fixture names; undefined for a kind that is none. */
export function windowsOf(
  operator: Readonly<Record<string, number>> & { readonly kind?: string },
): WindowKind | undefined {
  const { size, advance, timeDifference, gap, grace } = operator
  const fixed = (windows: Windows, length: number): WindowKind => ({
    windows,
    endOf: ({ start }) => (length === Number.POSITIVE_INFINITY ? null : start + length),
    key: windowed(KEY, { size: length }),
  })
  switch (operator.kind) {
    case 'tumbling':
      return fixed(tumbling(size, { grace }), size)
    case 'hopping':
      return fixed(hopping(size, { advance, grace }), size)
    case 'sliding':
      return fixed(sliding(timeDifference, { grace }), timeDifference)
    case 'unlimited':
      return fixed(unlimited({ start: operator.start }), Number.POSITIVE_INFINITY)
    case 'session':
      return {
        windows: session(gap, { grace }),
        endOf: ({ timestamp }) => timestamp,
        key: sessionWindowed(KEY),
      }
    default:
      return undefined
  }
}

/** Keeps windows for ever, as the fixtures' stores do. */
export const RETENTION = { retention: Number.POSITIVE_INFINITY }

/** Aggregates as a fixture names it. */
export function aggregateBy<R>(
  name: string,
  aggregation: string,
): (grouped: Grouped<string | null, Value, R>) => Table<R, FixtureValue> {
  const reducer = REDUCERS[aggregation]
  return reducer
    ? (grouped) => grouped.pipe(reduce(name, reducer as (a: Value, b: Value) => Value, RETENTION))
    : (grouped) => grouped.pipe(aggregate(name, AGGREGATIONS[aggregation], RETENTION))
}

/** Writes a table's results to a topic as the fixture says: each update, or some of them. */
export function emitted<K>(table: Table<K, FixtureValue>, operator: Operator, key: Serde<K>): Output {
  const serdes = { key: key as Serde<NonNullable<K>>, value: json<Exclude<FixtureValue, null>>() }
  switch (operator.emit) {
    case 'on-update':
      return table.pipe(toStream(), to('output', serdes))
    case 'suppress-until-time-limit': {
      const { limit, maxRecords } = operator
      return table.pipe(untilTimeLimit(limit, { maxRecords }), toStream(), to('output', serdes))
    }
    default: {
      // Only fixtures of windows ask for final results.
      const windows = table as unknown as Table<Windowed<string>, FixtureValue>
      return windows.pipe(
        untilWindowCloses(),
        to('output', { ...serdes, key: key as unknown as Serde<Windowed<string>> }),
      )
    }
  }
}

/** An aggregation of what is grouped, in windows where the fixture has them. */
export function aggregation(grouped: Grouped<string | null, Value, string | null>, operator: Operator): Built {
  const made = windowsOf(operator)
  const output = made
    ? emitted(grouped.pipe(windowedBy(made.windows), aggregateBy('store', operator.aggregation)), operator, made.key)
    : emitted(grouped.pipe(aggregateBy('store', operator.aggregation)), operator, KEY)
  return {
    topology: topology('oracle', [output]),
    outputs: { output: undefined },
    store: 'store',
    endOf: made?.endOf,
    ordered: operator.kind !== 'sliding' || operator.emit !== 'on-update',
  }
}

/** Any window, or none, with any emission. */
export const windowedAggregation: Family = (operator) =>
  aggregation(stream('input', { key: KEY, value: VALUE }).pipe(groupByKey()), operator)
