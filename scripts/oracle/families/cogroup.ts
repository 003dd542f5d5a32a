import { adding, cogroup, custom, type Grouped, groupByKey, stream, topology, windowedBy } from 'millrace'
import type { Family } from '../run.ts'
import { emitted, KEY, RETENTION, VALUE, type Value, windowsOf } from './windowed.ts'

const add = (sign: string) => (text: string, value: Value) => `${text}${sign}${value}`

const grouped = (topic: string): Grouped<string | null, Value, string | null> =>
  stream(topic, { key: KEY, value: VALUE }).pipe(groupByKey())

export const cogrouped: Family = (operator) => {
  const [first, ...others] = operator.inputs as { readonly topic: string; readonly sign: string }[]
  const made = operator.window ? windowsOf(operator.window) : undefined
  const aggregate = custom({ init: () => '0', add: add(first.sign), merge: (a, b) => `${a}&${b}` })
  const rest = others.map(({ topic, sign }) => adding(grouped(topic), add(sign)))
  const output = made
    ? emitted(
        grouped(first.topic).pipe(windowedBy(made.windows), cogroup('store', RETENTION, aggregate, ...rest)),
        operator,
        made.key,
      )
    : emitted(grouped(first.topic).pipe(cogroup('store', RETENTION, aggregate, ...rest)), operator, KEY)
  return {
    topology: topology('oracle', [output]),
    outputs: { output: undefined },
    store: 'store',
    endOf: made?.endOf,
  }
}
