import {
  aggregate,
  type Grouped,
  groupByKey,
  hopping,
  json,
  nullable,
  reduce,
  sliding,
  stream,
  string,
  type Table,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windowed,
  windowedBy,
} from 'millrace'
import { AGGREGATIONS, REDUCERS } from '../aggregations.ts'
import type { FixtureValue, Operator } from '../fixture.ts'
import type { Family } from '../run.ts'

type Value = string | number | null

function windowsOf(operator: Operator): { windows: Windows; endOf: (start: number) => number } | undefined {
  const { kind, size, advance, timeDifference, grace } = operator
  switch (kind) {
    case 'tumbling':
      return { windows: tumbling(size, { grace }), endOf: (start) => start + size }
    case 'hopping':
      return { windows: hopping(size, { advance, grace }), endOf: (start) => start + size }
    case 'sliding':
      return { windows: sliding(timeDifference, { grace }), endOf: (start) => start + timeDifference }
    default:
      return undefined
  }
}

function aggregateBy<R>(
  name: string,
  aggregation: string,
): (grouped: Grouped<string | null, Value, R>) => Table<R, FixtureValue> {
  const reducer = REDUCERS[aggregation]
  const options = { retention: Number.POSITIVE_INFINITY }
  return reducer
    ? (grouped) => grouped.pipe(reduce(name, reducer as (a: Value, b: Value) => Value, options))
    : (grouped) => grouped.pipe(aggregate(name, AGGREGATIONS[aggregation], options))
}

/** Any window with any emission: tumbling, hopping, sliding, and their final results. */
export const windowedAggregation: Family = (operator) => {
  const made = windowsOf(operator)
  if (made === undefined) return undefined
  const results: Table<Windowed<string | null>, FixtureValue> = stream('input', {
    key: nullable(string()),
    value: nullable(json<string | number>()),
  }).pipe(groupByKey(), windowedBy(made.windows), aggregateBy('store', operator.aggregation))
  const size = made.endOf(0)
  const serdes = { key: windowed(nullable(string()), { size }), value: json<Exclude<FixtureValue, null>>() }
  const output =
    operator.emit === 'on-update'
      ? results.pipe(toStream(), to('output', serdes))
      : results.pipe(untilWindowCloses(), to('output', serdes))
  return { topology: topology('oracle', [output]), outputs: { output: undefined }, store: 'store', endOf: made.endOf }
}
