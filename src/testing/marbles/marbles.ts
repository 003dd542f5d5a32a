import { AssertionError } from 'node:assert'
import type { Topology } from '../../topology/topology.ts'
import type { DriverOptions } from '../driver-options.ts'
import type { MarbleRow } from './diagram.ts'
import { drawMarbles, sameRow } from './draw.ts'
import { parseMarbles } from './parse.ts'
import { playDiagram } from './play.ts'

/**
 * Asserts that a topology does what an event-time marble diagram shows. Time of arrival goes from left to right, one
 * step per column; the number behind the `@` is event time.
 *
 * ```
 * payments | a=3@1         | b=1@2         | a=4@12           | a=1@5
 * totals   | a[0,10)=3@1   | b[0,10)=1@2   | a[10,20)=4@12    |
 * dropped  |               |               |                  | late
 * ```
 *
 * A line is a row: its name, then cells separated by `|`. A row of a topic that the topology reads is input; any other
 * row is what must come out during the step, in this order: records of topics, or rows of a sink (by its name). What
 * comes out on a topic without a row is a mistake too. In a step, input rows go first, from top to bottom.
 *
 * | in a cell             | means                                                                              |
 * | --------------------- | ---------------------------------------------------------------------------------- |
 * | `a=3@12`              | key `a`, value 3, at 12 ms                                                         |
 * | `a@12`                | the same as `a=a@12`                                                               |
 * | `a=-@12`, `-=3@12`    | a null value (a tombstone), a null key                                             |
 * | `a=3@1m30s`           | times may have units: `ms`, `s`, `m`, `h`, `d`                                     |
 * | `a[0,10)=3@7`         | the key `a` of the window [0, 10); `[0,10]` with an inclusive end, `[0,∞)` unlimited |
 * | `a={n:1,l:[x]}@7`     | objects, lists; names and words need no quotes, other texts do: `"two words"`      |
 * | `a=3n@7`              | a bigint, such as `long()` gives                                                   |
 *
 * Two rows have a meaning of their own (put a topic of that name into quotes): `do`, with `commit`, `restart` (a crash:
 * state comes back from the last commit) and `clock+5s` (wall-clock time passes), after the step's input; and
 * `dropped`, with the reason of each record that was left out: `late`, `null-key`, `late×2`. Lines that begin with `//`
 * are comments.
 *
 * By default each update comes out at once; `{ emit: 'commit' }` gives what `run` gives, at `commit`. Throws
 * `AssertionError` with both diagrams, `INVALID_OPTION` with a caret where a diagram cannot be read.
 *
 * @example
 * ```ts
 * const totals = topology('totals', [
 *   stream('payments', { key: string(), value: json<number>() }).pipe(
 *     groupByKey(),
 *     reduce('total', (a, b) => a + b),
 *     toStream(),
 *     to('totals', { key: string(), value: json() }),
 *   ),
 * ])
 * marbles(totals, `
 *   payments | ada=3@1 | bob=1@2 | ada=4@3 |
 *   do       |         | commit  |         | restart
 *   totals   | ada=3@1 | bob=1@2 | ada=7@3 | ada=7@3
 * `)
 * ```
 */
export function marbles(topology: Topology, diagram: string, options: DriverOptions = {}): void {
  const expected = parseMarbles(diagram)
  const actual = playDiagram(topology, expected, options)
  const wrong = actual.rows.filter((row, i) => !expected.rows[i] || !sameRow(expected.rows[i], row, actual.steps))
  if (wrong.length === 0) return
  const { steps, inclusive } = actual
  // Drawn as one table, so that the columns of both are under each other.
  const both = actual.rows.flatMap((row, i) => {
    const wanted = expected.rows[i] ?? ({ ...row, cells: [] } as MarbleRow)
    return wrong.includes(row) ? [mark('-', wanted), mark('+', row)] : [mark(' ', row)]
  })
  throw new AssertionError({
    message: `the topology does not do what the marbles show (- expected, + came out)\n\n${drawMarbles({ steps, inclusive, rows: both })}\n`,
    expected: drawMarbles({ steps, inclusive, rows: expected.rows }),
    actual: drawMarbles(actual),
    operator: 'marbles',
  })
}

/**
 * Runs the input of a diagram and gives the whole diagram as it came out, aligned: what to write into a test or a page
 * once it has been read and found right. Rows of outputs in the diagram given say where they go; their cells are ignored.
 *
 * @example
 * ```ts
 * console.log(playMarbles(topology('copy', [
 *   stream('in', { key: string(), value: json() }).pipe(to('out', { key: string(), value: json() })),
 * ]), 'in | a=1@1 | b=2@2'))
 * ```
 */
export function playMarbles(topology: Topology, diagram: string, options: DriverOptions = {}): string {
  return drawMarbles(playDiagram(topology, parseMarbles(diagram), options))
}

const mark = (sign: string, row: MarbleRow): MarbleRow & { readonly sign: string } => ({ ...row, sign })
