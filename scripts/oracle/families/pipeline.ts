import {
  aggregate,
  count,
  filter,
  flatMapValues,
  groupBy,
  groupByKey,
  join,
  joinWindows,
  json,
  leftJoin,
  map,
  mapValues,
  merge,
  type Output,
  reduce,
  type Stream,
  split,
  stream,
  string,
  type Table,
  table,
  to,
  topology,
  toStream,
  untilWindowCloses,
  type Windowed,
  windowedBy,
} from 'millrace'
import { AGGREGATIONS, REDUCERS } from '../aggregations.ts'
import type { FixtureValue, Operator } from '../fixture.ts'
import { prefixOf } from '../prefix.ts'
import type { Built, Family } from '../run.ts'
import { restOf } from './table-aggregate.ts'
import { aggregateBy, aggregation, emitted, KEY, RETENTION, VALUE, type Value, windowsOf } from './windowed.ts'

const read = (topic: string): Stream<string | null, Value> => stream(topic, { key: KEY, value: VALUE })
const rows = (topic: string) => table(topic, { key: string(), value: json<Value>(), store: topic })
const write = <K, V>(of: Stream<K, V>): Output => of.pipe(to('output', { key: KEY, value: json() } as never))
const built = (output: Output, fields: Partial<Built> = {}): Built => ({
  topology: topology('oracle', [output]),
  outputs: { output: undefined },
  store: 'store',
  ...fields,
})
const firstWindow = ({ window, ...rest }: Operator) => windowsOf({ ...rest, kind: window } as never)!

const PIPELINES: Readonly<Record<string, Family>> = {
  'word-count': () =>
    built(
      write(
        read('input').pipe(
          filter((value) => value !== null),
          flatMapValues((value) => String(value).split('.')),
          groupBy((word) => word),
          count('store'),
          toStream(),
        ),
      ),
    ),
  'rekey-session': ({ window, ...operator }) =>
    aggregation(
      read('input').pipe(
        map((value) => [prefixOf(value), restOf(String(value)) as Value]),
        groupBy((_, key) => key, { key: KEY, value: VALUE }),
      ),
      { ...operator, kind: window } as Operator,
    ),
  'filter-map-count-suppress-join': (operator) => {
    const { windows, endOf } = firstWindow(operator)
    const counts: Table<Windowed<string | null>, number> = read('input').pipe(
      filter((value) => typeof value === 'number' && value >= 0),
      mapValues((value) => Number(value) % 10),
      groupByKey(),
      windowedBy(windows),
      count('store', RETENTION),
    )
    const joined = counts.pipe(
      untilWindowCloses(),
      map((n, { key, window }) => [key, `${n}@${window.start}`]),
    )
    return built(write(joined.pipe(leftJoin('joined', rows('table'), (n, row) => `${n}&${row}`))), { endOf })
  },
  'join-hop-sum': ({ joinWindow, window, ...operator }) => {
    const sums = read('left').pipe(
      join('joined', read('right'), (a, b) => Number(a) + Number(b), joinWindows(joinWindow)),
    )
    return aggregation(sums.pipe(groupByKey()), { ...operator, kind: window } as Operator)
  },
  'split-count-merge': () => {
    const { negative, rest } = read('input').pipe(
      split({ negative: (value) => value !== null && Number(value) < 0 }, 'rest'),
    )
    const counts = negative.pipe(
      groupByKey(),
      count('store'),
      toStream(),
      mapValues((n) => `-${n}`),
    )
    const sums = rest.pipe(
      groupByKey(),
      reduce('sums', REDUCERS['reduce-sum'] as never),
      toStream(),
      mapValues((n) => `+${n}`),
    )
    return built(write(counts.pipe(merge(sums))))
  },
  'table-agg-join': () => {
    const sums: Table<string, FixtureValue> = table('input', {
      key: string(),
      value: json<string>(),
      store: 'input',
    }).pipe(
      groupBy((value) => prefixOf(value), { project: restOf }),
      aggregate('store', AGGREGATIONS.sum),
    )
    return built(
      write(
        sums.pipe(
          join('joined', rows('table'), (sum, row) => `${sum}&${row}`),
          toStream(),
        ),
      ),
    )
  },
  'window-of-window': (operator) => {
    const { windows, endOf } = firstWindow(operator)
    const counts: Table<Windowed<string | null>, FixtureValue> = read('input').pipe(
      groupByKey(),
      windowedBy(windows),
      aggregateBy('store', 'count'),
    )
    const results = operator.emit === 'on-update' ? counts.pipe(toStream()) : counts.pipe(untilWindowCloses())
    const then = windowsOf(operator.then)!
    const all = results.pipe(
      map((n) => ['all', n as Value]),
      groupBy((_, key) => key, { value: VALUE }),
      windowedBy(then.windows),
      aggregate('second', AGGREGATIONS.concat, RETENTION),
    )
    return built(emitted(all as never, operator.then, then.key), { endOf })
  },
}

/** Graphs of several operators. */
export const pipeline: Family = (operator) => PIPELINES[operator.pipeline]?.(operator)
