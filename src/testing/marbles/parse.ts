import type { Deed, Drop, Marble, MarbleDiagram, MarbleRow, MarbleValue } from './diagram.ts'
import { Scanner } from './scanner.ts'
import { readValue } from './values.ts'

/**
 * Reads a diagram (see `marbles` for the notation). Throws `INVALID_OPTION` with the line and a caret under the place
 * that cannot be read.
 */
export function parseMarbles(text: string): MarbleDiagram {
  const rows: MarbleRow[] = []
  let inclusive = false
  for (const [i, line] of text.split('\n').entries()) {
    const from: Scanner = new Scanner(line.trimEnd(), i + 1)
    from.skipBlanks()
    if (from.done || from.sees('//')) continue
    const at = from.at
    const quoted = from.take(/"(?:[^"\\]|\\.)*"/y)
    const label = quoted === undefined ? from.take(/[^\s|"]+/y) : (JSON.parse(quoted) as string)
    if (label === undefined) from.fail('expected the name of a topic or sink, "do" or "dropped"')
    if (rows.some((row) => row.label === label)) from.fail(`a second row for ${label}`, at)
    from.skipBlanks()
    if (!from.done) from.expect('|', '"|" before the first column')
    if (quoted === undefined && label === 'do') rows.push({ kind: 'do', label, cells: readCells(from, readDeed) })
    else if (quoted === undefined && label === 'dropped') {
      rows.push({ kind: 'dropped', label, cells: readCells(from, readDrop) })
    } else {
      const readOne = (scanner: Scanner) => readMarble(scanner, () => (inclusive = true))
      rows.push({ kind: 'topic', label, cells: readCells(from, readOne) })
    }
  }
  return { rows, steps: Math.max(0, ...rows.map(({ cells }) => cells.length)), inclusive }
}

function readCells<T>(from: Scanner, readOne: (from: Scanner) => T): T[][] {
  const cells: T[][] = [[]]
  for (;;) {
    from.skipBlanks()
    if (from.done) break
    if (from.accept('|')) cells.push([])
    else {
      cells.at(-1)!.push(readOne(from))
      if (!from.done && !from.sees('|') && !/\s/.test(from.line[from.at])) from.fail('expected a blank or "|"')
    }
  }
  // A table may be closed at its right end.
  if (cells.length > 1 && cells.at(-1)!.length === 0 && from.line.endsWith('|')) cells.pop()
  return cells
}

function readMarble(from: Scanner, sawInclusive: () => void): Marble {
  const inner = readValue(from)
  const window = from.accept('[') ? readWindow(from, sawInclusive) : undefined
  const value: MarbleValue = from.accept('=') ? readValue(from) : inner
  from.expect('@', '"@" and the time')
  return { key: window ? { key: inner, window } : inner, value, timestamp: readTime(from) }
}

function readWindow(from: Scanner, sawInclusive: () => void) {
  const start = readTime(from)
  from.expect(',')
  const end = from.accept('∞') ? Number.POSITIVE_INFINITY : readTime(from)
  if (from.accept(']')) sawInclusive()
  else from.expect(')', '")" for a window without its end, "]" for one with it')
  return { start, end }
}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds, or parts with units: 90, 1m30s. */
function readTime(from: Scanner): number {
  const at = from.at
  const text = from.take(/-?\d+(?:(?:ms|s|m|h|d)(?:\d+(?:ms|s|m|h|d))*)?/y)
  if (text === undefined) from.fail('expected a time, in ms or such as 1m30s')
  if (from.take(/[\p{L}\d]/uy) !== undefined) from.fail('expected a time, in ms or such as 1m30s', at)
  if (/^-?\d+$/.test(text)) return Number(text)
  return [...text.matchAll(/(\d+)([a-z]+)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * UNITS[unit], 0)
}

function readDeed(from: Scanner): Deed {
  if (from.accept('commit')) return { kind: 'commit' }
  if (from.accept('restart')) return { kind: 'restart' }
  if (from.accept('clock+')) return { kind: 'clock', ms: readTime(from) }
  return from.fail('expected commit, restart, or clock+ and a time')
}

function readDrop(from: Scanner): Drop {
  const reason = from.take(/[a-z-]+/y)
  if (reason === undefined) from.fail('expected a reason such as late or null-key')
  if (!from.accept('×')) return { reason, count: 1 }
  const count = from.take(/\d+/y)
  return count === undefined ? from.fail('expected a number') : { reason, count: Number(count) }
}
