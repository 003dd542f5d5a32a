import { globalTable, join, json, leftJoin, nullable, stream, string, to, topology } from 'millrace'
import { prefixOf } from '../prefix.ts'
import type { Family } from '../run.ts'

/** A stream and a global table, by the prefix of the stream's value. */
export const globalTableJoin: Family = ({ join: how }) => {
  const key = nullable(string())
  const right = globalTable('right', { key: string(), value: json<string>(), store: 'right' })
  const left = stream('left', { key, value: nullable(json<string>()) })
  const joined =
    how === 'left'
      ? left.pipe(leftJoin(right, prefixOf, (value, row) => `${value}&${row}`))
      : left.pipe(join(right, prefixOf, (value, row) => `${value}&${row}`))
  const output = joined.pipe(to('output', { key, value: json<string>() }))
  return { topology: topology('oracle', [output]), outputs: { output: undefined } }
}
