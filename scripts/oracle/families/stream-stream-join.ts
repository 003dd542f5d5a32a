import { join, joinWindows, json, leftJoin, nullable, outerJoin, stream, string, to, topology } from 'millrace'
import type { Family } from '../run.ts'

type Value = string | number | null

const JOINS: Readonly<Record<string, typeof outerJoin>> = { inner: join, left: leftJoin, outer: outerJoin }

/** Two streams, or one with itself. */
export const streamStreamJoin: Family = ({ kind, join: how, before, after, grace }) => {
  const read = (topic: string) => stream(topic, { key: nullable(string()), value: nullable(json<string | number>()) })
  const [left, right] = kind === 'self-join' ? twice(read('input')) : [read('left'), read('right')]
  const text = (left: Value, right: Value) => `${left}&${right}`
  const joined = left.pipe(
    JOINS[how]('joined', right, text, joinWindows({ before, after, grace })),
    to('output', { key: nullable(string()), value: json<string>() }),
  )
  return { topology: topology('oracle', [joined]), outputs: { output: undefined } }
}

const twice = <T>(of: T): [T, T] => [of, of]
