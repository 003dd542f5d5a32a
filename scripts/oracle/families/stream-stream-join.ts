import { join, joinWindows, json, leftJoin, nullable, outerJoin, stream, string, to, topology } from 'millrace'
import type { Family } from '../run.ts'

type Value = string | number | null

/** Two streams, or one with itself. */
export const streamStreamJoin: Family = ({ kind, join: how, before, after, grace }) => {
  const read = (topic: string) => stream(topic, { key: nullable(string()), value: nullable(json<string | number>()) })
  const [left, right] = kind === 'self-join' ? twice(read('input')) : [read('left'), read('right')]
  const text = (left: Value, right: Value) => `${left}&${right}`
  const windows = joinWindows({ before, after, grace })
  const joined =
    how === 'inner'
      ? left.pipe(join('joined', right, text, windows))
      : how === 'left'
        ? left.pipe(leftJoin('joined', right, text, windows))
        : left.pipe(outerJoin('joined', right, text, windows))
  const output = joined.pipe(to('output', { key: nullable(string()), value: json<string>() }))
  return { topology: topology('oracle', [output]), outputs: { output: undefined } }
}

const twice = <T>(of: T): [T, T] => [of, of]
