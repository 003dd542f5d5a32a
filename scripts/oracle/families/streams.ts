import {
  groupBy,
  groupByKey,
  json,
  merge,
  repartition,
  type Stream,
  selectKey,
  split,
  stream,
  string,
  to,
  topology,
} from 'millrace'
import { prefixOf } from '../prefix.ts'
import type { Family } from '../run.ts'
import { aggregation, KEY, VALUE, type Value } from './windowed.ts'

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

interface When {
  readonly op: '<' | '>' | 'even'
  readonly than: number
}

function holds({ op, than }: When): (value: Value) => boolean {
  const test = { '<': (n: number) => n < than, '>': (n: number) => n > than, even: (n: number) => n % 2 === 0 }[op]
  return (value) => test(Number(value ?? 0))
}

export const splitUp: Family = ({ branches, default: rest }) => {
  const tests: Record<string, (value: Value) => boolean> = {}
  for (const { name, when } of branches as { name: string; when: When }[]) tests[name] = holds(when)
  const input = read('input')
  const streams: Record<string, Stream<string | null, Value>> = rest === undefined
    ? input.pipe(split(tests))
    : input.pipe(split(tests, rest as string))
  return {
    topology: topology(
      'oracle',
      Object.entries(streams).map(([name, branch]) => branch.pipe(to(name, { key: string(), value: json() }))),
    ),
    outputs: Object.fromEntries(Object.keys(streams).map((name) => [name, name])),
  }
}
