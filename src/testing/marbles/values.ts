import type { MarbleValue } from './diagram.ts'
import type { Scanner } from './scanner.ts'

const WORD = /[\p{L}_][\p{L}\p{N}_.:/-]*/uy
const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?n?(?![\p{L}\p{N}_])/uy
const QUOTED = /"(?:[^"\\]|\\.)*"/y
const NAMED: Record<string, MarbleValue> = { true: true, false: false, null: null }

/** A word, a number, a JSON text, a list, an object whose names need no quotes, or `-` for null. */
export function readValue(from: Scanner): MarbleValue {
  const quoted = from.take(QUOTED)
  if (quoted !== undefined) return JSON.parse(quoted) as string
  const number = from.take(NUMBER)
  if (number !== undefined) return number.endsWith('n') ? BigInt(number.slice(0, -1)) : Number(number)
  const word = from.take(WORD)
  if (word !== undefined) return Object.hasOwn(NAMED, word) ? NAMED[word] : word
  if (from.accept('-')) return null
  if (from.accept('[')) return readList(from)
  if (from.accept('{')) return readObject(from)
  return from.fail('expected a value: a word, a number, "text", [list], {name:value} or -')
}

function readList(from: Scanner): MarbleValue {
  const items: MarbleValue[] = []
  from.skipBlanks()
  while (!from.accept(']')) {
    if (items.length > 0) from.expect(',', '"," or "]"')
    from.skipBlanks()
    items.push(readValue(from))
    from.skipBlanks()
  }
  return items
}

function readObject(from: Scanner): MarbleValue {
  const fields: Record<string, MarbleValue> = {}
  from.skipBlanks()
  while (!from.accept('}')) {
    if (Object.keys(fields).length > 0) from.expect(',', '"," or "}"')
    from.skipBlanks()
    const quoted = from.take(QUOTED)
    const name = quoted === undefined ? from.take(/[\p{L}_$][\p{L}\p{N}_$]*/uy) : (JSON.parse(quoted) as string)
    if (name === undefined) from.fail('expected the name of a field')
    from.skipBlanks()
    from.expect(':')
    from.skipBlanks()
    fields[name] = readValue(from)
    from.skipBlanks()
  }
  return fields
}

/** The shortest form that `readValue` reads back as the same value. */
export function showValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return isWord(value) ? value : JSON.stringify(value)
    case 'bigint':
      return `${value}n`
    case 'object':
      if (value === null) return '-'
      if (Array.isArray(value)) return `[${value.map(showValue).join(',')}]`
      if (ArrayBuffer.isView(value))
        return `bytes:${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
      return `{${Object.entries(value)
        .filter(([, field]) => field !== undefined)
        .map(
          ([name, field]) =>
            `${/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? name : JSON.stringify(name)}:${showValue(field)}`,
        )
        .join(',')}}`
    default:
      return String(value)
  }
}

function isWord(text: string): boolean {
  WORD.lastIndex = 0
  return WORD.exec(text)?.[0] === text && !Object.hasOwn(NAMED, text)
}

/** The same for equal values, whatever the order of their fields. */
export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return showValue(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`)
    .join(',')}}`
}
