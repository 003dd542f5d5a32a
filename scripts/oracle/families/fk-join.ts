import { foreignKeyJoin, json, leftForeignKeyJoin, nullable, string, table, to, topology, toStream } from 'millrace'
import { prefixOf } from '../prefix.ts'
import type { Family } from '../run.ts'

const JOINS: Readonly<Record<string, typeof leftForeignKeyJoin>> = { inner: foreignKeyJoin, left: leftForeignKeyJoin }

/** Two tables, by the prefix of the left value. */
export const foreignKeyJoins: Family = ({ join: how }) => {
  const read = (topic: string) => table(topic, { key: nullable(string()), value: json<string>(), store: topic })
  const joined = read('left').pipe(
    JOINS[how]('joined', read('right'), prefixOf, (left, right) => `${left}&${right}`),
    toStream(),
    to('output', { key: string(), value: json<string>() }),
  )
  return { topology: topology('oracle', [joined]), outputs: { output: undefined }, store: 'joined' }
}
