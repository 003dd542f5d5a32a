import { type Aggregate, count, custom } from 'millrace'
import type { FixtureValue } from './fixture.ts'

type Value = string | number | null
// biome-ignore lint/suspicious/noExplicitAny: the fixtures' aggregations share one table, whatever they accumulate
type AnyAggregate = Aggregate<any, any, FixtureValue>

/** The aggregations that the fixtures name, as a user would write them. */
export const AGGREGATIONS: Readonly<Record<string, AnyAggregate>> = {
  count: count(),
  sum: custom({
    init: () => 0,
    add: (sum: number, value: Value) => sum + Number(value ?? 0),
    merge: (a, b) => a + b,
    remove: (sum, value) => sum - Number(value ?? 0),
  }),
  min: extreme(Math.min),
  max: extreme(Math.max),
  concat: custom({
    init: () => '0',
    add: (text: string, value: Value) => `${text}+${value}`,
    merge: (a, b) => `${a}&${b}`,
    remove: (text, value) => `${text}-${value}`,
  }),
  collect: custom({
    init: (): Value[] => [],
    add: (list, value: Value) => [...list, value],
    merge: (a, b) => [...a, ...b],
    remove(list, value) {
      const at = list.indexOf(value)
      return at < 0 ? list : list.toSpliced(at, 1)
    },
  }),
}

function extreme(pick: (a: number, b: number) => number): AnyAggregate {
  const of = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : pick(a, b))
  return custom({ init: (): number | null => null, add: of, merge: of })
}

/** The reducers that the fixtures name. */
export const REDUCERS: Readonly<Record<string, (reduced: never, value: never) => Value>> = {
  'reduce-last': (_reduced: Value, value: Value) => value,
  'reduce-first': (reduced: Value) => reduced,
  'reduce-concat': (reduced: Value, value: Value) => `${reduced}+${value}`,
  'reduce-sum': (reduced: number, value: number) => reduced + value,
}

/** What takes a value out again, where the fixtures name it. */
export const SUBTRACTORS: Readonly<Record<string, (reduced: never, value: never) => Value>> = {
  'reduce-concat': (reduced: Value, value: Value) => `${reduced}-${value}`,
  'reduce-sum': (reduced: number, value: number) => reduced - value,
}
