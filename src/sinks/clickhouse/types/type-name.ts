import { MillraceError } from '../../../errors.ts'

/** A ClickHouse type, taken apart: `Map(String, Array(Int32))` is Map with two types. */
export interface TypeName {
  readonly name: string
  /** As written. */
  readonly text: string
  readonly types: readonly TypeName[]
  /** Names of the elements, in a named Tuple; as written, perhaps in backquotes. */
  readonly labels?: readonly string[]
  /** Arguments that are not types, as written: numbers, texts, the elements of an Enum. */
  readonly literals: readonly string[]
}

/** Takes a type as `system.columns` shows it apart. */
export function parseTypeName(text: string): TypeName {
  const open = text.indexOf('(')
  if (open < 0) return { name: text, text, types: [], literals: [] }
  if (!text.endsWith(')')) throw new MillraceError('INTERNAL', `not a ClickHouse type: ${text}`)
  const name = text.slice(0, open)
  const parts = split(text.slice(open + 1, -1))
  switch (name) {
    case 'Tuple':
    case 'Nested': {
      const elements = parts.map(element)
      const labels = elements.map(({ label }) => label)
      const types = elements.map(({ type }) => type)
      return labels.every((label) => label !== undefined)
        ? { name, text, types, labels: labels as string[], literals: [] }
        : { name, text, types, literals: [] }
    }
    case 'Array':
    case 'Map':
    case 'Nullable':
    case 'LowCardinality':
    case 'Variant':
      return { name, text, types: parts.map(parseTypeName), literals: [] }
    case 'SimpleAggregateFunction':
      return { name, text, types: parts.slice(1).map(parseTypeName), literals: parts.slice(0, 1) }
    default:
      return { name, text, types: [], literals: parts }
  }
}

/** An element of a Tuple: `Int32`, `id Int32` or `` `an id` Int32 ``. */
function element(part: string): { label?: string; type: TypeName } {
  const [, label, type] = /^(`(?:[^`\\]|\\.)*`|\w+) (.+)$/s.exec(part) ?? []
  return label === undefined ? { type: parseTypeName(part) } : { label, type: parseTypeName(type!) }
}

/** Splits at commas outside of parentheses and quotes. */
function split(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (c === "'" || c === '`') i = endOfQuote(text, i, c)
    else if (c === '(') depth++
    else if (c === ')') depth--
    else if (c === ',' && depth === 0) {
      parts.push(text.slice(start, i).trim())
      start = i + 1
    }
  }
  const last = text.slice(start).trim()
  return last === '' ? parts : [...parts, last]
}

function endOfQuote(text: string, start: number, quote: string): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === quote) return i
  }
  return text.length
}

/** What is inside quotes or backquotes; a bare name is itself. */
export function unquote(text: string): string {
  return /^['`]/.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text
}
