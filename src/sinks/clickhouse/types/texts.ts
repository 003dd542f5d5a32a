import { type ColumnEncoder, jsonText, unfit, writeText } from './column-encoder.ts'
import { type TypeName, unquote } from './type-name.ts'

/** A type that travels as text, or bytes. `empty` is the text of its default. */
function textual(convert: (value: unknown) => string | Uint8Array, empty = ''): ColumnEncoder {
  return {
    wire: 'String',
    nulls: empty === '' ? 'always' : 'if taken',
    empty,
    emptySize: 1 + empty.length,
    convert,
    write(values, out) {
      for (let i = 0; i < values.length; i++) writeText(out, values[i] as string | Uint8Array)
    },
  }
}

/** String, and everything else that is best given as text. */
export function textEncoder(type: TypeName): ColumnEncoder {
  switch (type.name) {
    case 'FixedString':
      return fixedString(type)
    case 'Enum8':
    case 'Enum16':
      return enumeration(type)
    case 'UUID':
      return UUID
    case 'IPv4':
      return textual(text, '0.0.0.0')
    case 'IPv6':
      return textual(text, '::')
    case 'JSON':
    case 'Object':
      return textual(text, '{}')
    default:
      return textual(text)
  }
}

/** Any value as a text: bytes as they are, times in ISO 8601, objects and arrays as JSON. */
function text(value: unknown): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? jsonText(value) : String(value)
}

function fixedString({ text: name, literals }: TypeName): ColumnEncoder {
  const size = Number(literals[0])
  return textual((value) => {
    const fixed = text(value)
    if (Buffer.byteLength(fixed) > size) throw unfit(value, name, 'too long')
    return fixed
  })
}

function enumeration({ name, text: wire, literals }: TypeName): ColumnEncoder {
  const numbers = new Map<unknown, number>()
  for (const literal of literals) {
    const [, quoted, digits] = /^(.*) = (-?\d+)$/s.exec(literal)!
    const number = Number(digits)
    numbers.set(unquote(quoted!), number).set(number, number)
  }
  const size = name === 'Enum8' ? 1 : 2
  const [first] = numbers.values()
  return {
    wire,
    nulls: 'always',
    empty: first,
    emptySize: size,
    convert: (value) => numbers.get(value) ?? refuse(value, wire),
    write(values, out) {
      out.ensure(values.length * size)
      for (let i = 0; i < values.length; i++, out.position += size) {
        if (size === 1) out.view.setInt8(out.position, values[i] as number)
        else out.view.setInt16(out.position, values[i] as number, true)
      }
    },
  }
}

const UUID: ColumnEncoder = {
  wire: 'UUID',
  nulls: 'always',
  empty: '0'.repeat(32),
  emptySize: 16,
  convert(value) {
    if (typeof value === 'string' && /^[\da-f]{8}-?([\da-f]{4}-?){3}[\da-f]{12}$/i.test(value)) {
      return value.replaceAll('-', '')
    }
    return refuse(value, 'UUID')
  },
  write(values, out) {
    out.ensure(values.length * 16)
    // Two numbers of 64 bits, the first half first, each little-endian.
    for (let i = 0; i < values.length; i++, out.position += 16) {
      for (let word = 0; word < 4; word++) {
        const digits = Number.parseInt((values[i] as string).slice(word * 8, word * 8 + 8), 16)
        out.view.setUint32(out.position + (word ^ 1) * 4, digits, true)
      }
    }
  },
}

function refuse(value: unknown, name: string): never {
  throw unfit(value, name)
}
