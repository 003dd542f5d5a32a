import { join, json, leftJoin, nullable, outerJoin, string, table, to, topology, toStream } from 'millrace'
import type { Family } from '../run.ts'

const JOINS: Readonly<Record<string, typeof outerJoin>> = { inner: join, left: leftJoin, outer: outerJoin }

/** Two tables by key. */
export const tableTableJoin: Family = ({ join: how }) => {
  const read = (topic: string) => table(topic, { key: nullable(string()), value: json<string>(), store: topic })
  const joined = read('left').pipe(
    JOINS[how]('joined', read('right'), (left: string | null, right: string | null) => `${left}&${right}`),
    toStream(),
    to('output', { key: string(), value: json<string>() }),
  )
  return { topology: topology('oracle', [joined]), outputs: { output: undefined }, store: 'joined' }
}
