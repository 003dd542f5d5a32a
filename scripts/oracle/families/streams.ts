import {
  groupBy,
  groupByKey,
  json,
  merge,
  nullable,
  repartition,
  type Stream,
  selectKey,
  stream,
  string,
  to,
  topology,
} from 'millrace'
import { prefixOf } from '../prefix.ts'
import type { Family } from '../run.ts'
import { aggregation, type Value } from './windowed.ts'

const KEY = nullable(string())
const VALUE = nullable(json<string | number>())

const read = (topic: string): Stream<string | null, Value> => stream(topic, { key: KEY, value: VALUE })

export const merged: Family = () => ({
  topology: topology('oracle', [
    read('left').pipe(merge(read('right')), to('output', { key: string(), value: json() })),
  ]),
  outputs: { output: undefined },
  ordered: true,
})

export const repartitioned: Family = ({ via, then }) => {
  const input = read('input')
  const keyed = () => input.pipe(selectKey(prefixOf, { key: KEY }))
  switch (via) {
    case 'select-key':
      return aggregation(keyed().pipe(groupByKey()), then)
    case 'group-by':
      return aggregation(input.pipe(groupBy(prefixOf, { key: KEY })), then)
    case 'repartition':
      return aggregation(keyed().pipe(repartition('by-prefix'), groupByKey()), then)
    default:
      return undefined
  }
}
