import {
  aggregate,
  type Grouped,
  groupBy,
  json,
  nullable,
  reduce,
  string,
  type Table,
  table,
  to,
  topology,
  toStream,
} from 'millrace'
import { AGGREGATIONS, REDUCERS, SUBTRACTORS } from '../aggregations.ts'
import type { FixtureValue, Operator } from '../fixture.ts'
import { prefixOf } from '../prefix.ts'
import type { Family } from '../run.ts'

type Value = string | number

/** The text after the first ':', all of it if there is none; a number where it is one. */
export function restOf(value: string): Value {
  const rest = value.slice(value.indexOf(':') + 1)
  return /^-?\d+$/.test(rest) ? Number(rest) : rest
}

type Aggregation = (grouped: Grouped<string, Value, string>) => Table<string, FixtureValue>

function aggregation({ aggregation: name }: Operator): Aggregation {
  if (!REDUCERS[name]) return aggregate('store', AGGREGATIONS[name])
  const combine = REDUCERS[name] as (a: Value, b: Value) => Value
  return reduce('store', combine, { remove: SUBTRACTORS[name] as (a: Value, b: Value) => Value })
}

/** The rows of a table by the prefix of their value. */
export const tableAggregate: Family = (operator) => {
  const grouped = table('input', { key: nullable(string()), value: json<string>(), store: 'input' }).pipe(
    groupBy((value) => prefixOf(value), { project: restOf }),
  )
  const output = grouped.pipe(
    aggregation(operator),
    toStream(),
    to('output', { key: string(), value: json<Exclude<FixtureValue, null>>() }),
  )
  return { topology: topology('oracle', [output]), outputs: { output: undefined }, store: 'store' }
}
