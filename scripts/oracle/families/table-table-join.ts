import { join, json, leftJoin, nullable, outerJoin, string, table, to, topology, toStream } from 'millrace'
import type { Family } from '../run.ts'

/** Two tables by key. */
export const tableTableJoin: Family = ({ join: how }) => {
  const read = (topic: string) => table(topic, { key: nullable(string()), value: json<string>(), store: topic })
  const text = (left: string | null, right: string | null) => `${left}&${right}`
  const [left, right] = [read('left'), read('right')]
  const joined =
    how === 'inner'
      ? left.pipe(join('joined', right, text))
      : how === 'left'
        ? left.pipe(leftJoin('joined', right, text))
        : left.pipe(outerJoin('joined', right, text))
  const output = joined.pipe(toStream(), to('output', { key: string(), value: json<string>() }))
  return { topology: topology('oracle', [output]), outputs: { output: undefined }, store: 'joined' }
}
