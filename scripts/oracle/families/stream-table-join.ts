import { join, json, leftJoin, nullable, stream, string, table, to, topology } from 'millrace'
import type { Family } from '../run.ts'

const JOINS: Readonly<Record<string, typeof leftJoin>> = { inner: join, left: leftJoin }

/** A stream and a table, versioned or not. */
export const streamTableJoin: Family = ({ join: how, historyRetention, grace }) => {
  const key = nullable(string())
  const users = table('right', { key, value: json<string>(), store: 'right', historyRetention })
  const joined = stream('left', { key, value: nullable(string()) }).pipe(
    JOINS[how]('joined', users, (left, right) => `${left}&${right}`, { grace }),
    to('output', { key, value: string() }),
  )
  return { topology: topology('oracle', [joined]), outputs: { output: undefined } }
}
