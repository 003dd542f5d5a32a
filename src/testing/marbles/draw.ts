import type { Windowed } from '../../record.ts'
import type { Deed, Drop, Marble, MarbleDiagram, MarbleRow } from './diagram.ts'
import { canonical, showValue } from './values.ts'

interface Drawn extends MarbleDiagram {
  /** A row may have a sign in front of it. */
  readonly rows: readonly (MarbleRow & { readonly sign?: string })[]
}

/** A diagram as text, its columns aligned. */
export function drawMarbles({ rows, steps, inclusive }: Drawn): string {
  const lines = rows.map((row) => [
    row.sign === undefined ? labelOf(row) : `${row.sign} ${labelOf(row)}`,
    ...Array.from({ length: steps }, (_, i) => drawCell(row, i, inclusive)),
  ])
  const widths = Array.from({ length: steps + 1 }, (_, i) => Math.max(0, ...lines.map((line) => line[i].length)))
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]))
        .join(' | ')
        .trimEnd(),
    )
    .join('\n')
}

function labelOf({ kind, label }: MarbleRow): string {
  return kind === 'topic' && (label === 'do' || label === 'dropped' || /[\s|"]/.test(label))
    ? JSON.stringify(label)
    : label
}

function drawCell(row: MarbleRow, step: number, inclusive: boolean): string {
  switch (row.kind) {
    case 'do':
      return (row.cells[step] ?? []).map(drawDeed).join(' ')
    case 'dropped':
      return (row.cells[step] ?? []).map(drawDrop).join(' ')
    default:
      return (row.cells[step] ?? []).map((marble) => drawMarble(marble, inclusive)).join(' ')
  }
}

function drawMarble({ key, value, timestamp }: Marble, inclusive: boolean): string {
  const name = isWindowed(key) ? `${showValue(key.key)}${drawWindow(key, inclusive)}` : showValue(key)
  return `${name}=${showValue(value)}@${timestamp}`
}

function drawWindow({ window: { start, end } }: Windowed<unknown>, inclusive: boolean): string {
  return end === Number.POSITIVE_INFINITY ? `[${start},∞)` : `[${start},${end}${inclusive ? ']' : ')'}`
}

const drawDeed = (deed: Deed): string => (deed.kind === 'clock' ? `clock+${deed.ms}ms` : deed.kind)

const drawDrop = ({ reason, count }: Drop): string => (count === 1 ? reason : `${reason}×${count}`)

function isWindowed(key: unknown): key is Windowed<unknown> {
  return typeof key === 'object' && key !== null && 'window' in key && 'key' in key
}

/** Whether two rows hold the same in every step, in the same order. */
export function sameRow(a: MarbleRow, b: MarbleRow, steps: number): boolean {
  return Array.from({ length: steps }, (_, i) => canonical(a.cells[i] ?? []) === canonical(b.cells[i] ?? [])).every(
    (same) => same,
  )
}
