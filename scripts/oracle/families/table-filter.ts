import { filter, json, mapValues, nullable, string, table, to, topology, toStream } from 'millrace'
import type { Family } from '../run.ts'

const TESTS: Readonly<Record<string, (value: number, than: number) => boolean>> = {
  '<': (value, than) => value < than,
  '>=': (value, than) => value >= than,
  even: (value) => value % 2 === 0,
}

/** Rows of a table that pass a test, doubled. */
export const tableFilter: Family = ({ when }) => {
  const test = TESTS[when.op]
  const doubled = table('input', { key: nullable(string()), value: json<number>(), store: 'input' }).pipe(
    filter((value) => test(value, when.than)),
    mapValues((value) => value * 2),
    toStream(),
    to('output', { key: string(), value: json<number>() }),
  )
  return { topology: topology('oracle', [doubled]), outputs: { output: undefined } }
}
