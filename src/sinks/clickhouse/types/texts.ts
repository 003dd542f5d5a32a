import { type ColumnEncoder, jsonText, unfit, writeText } from './column-encoder.ts'
import { type TypeName, unquote } from './type-name.ts'

/** A type that travels as text, or bytes. The server must be able to cast `empty`, which stands under nulls. */
export function textual(convert: (value: unknown) => string | Uint8Array, empty = ''): ColumnEncoder {
  return {
    wire: 'String',
    nullable: true,
    empty,
    emptySize: 1 + empty.length,
    convert,
    write(values, out) {
      for (let i = 0; i < values.length; i++) writeText(out, values[i] as string | Uint8Array)
    },
  }
}

/** String and everything else that is best given as text. */
export function textEncoder(type: TypeName): ColumnEncoder {
  switch (type.name) {
    case 'FixedString':
      return fixedString(type)
    case 'Enum8':
    case 'Enum16':
      return enumeration(type)
    case 'UUID':
      return textual(uuid, '00000000-0000-0000-0000-000000000000')
    case 'Decimal':
    case 'Decimal32':
    case 'Decimal64':
    case 'Decimal128':
    case 'Decimal256':
      return textual((value) => decimal(value, type.text), '0')
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

function enumeration({ text: name, literals }: TypeName): ColumnEncoder {
  const symbols = new Map<unknown, string>()
  for (const literal of literals) {
    const [, quoted, number] = /^(.*) = (-?\d+)$/s.exec(literal)!
    const symbol = unquote(quoted!)
    symbols.set(symbol, symbol).set(Number(number), symbol)
  }
  const [first = ''] = symbols.values()
  return textual((value) => symbols.get(value) ?? refuse(value, name), first)
}

function uuid(value: unknown): string {
  if (typeof value !== 'string' || !/^[\da-f]{8}-?([\da-f]{4}-?){3}[\da-f]{12}$/i.test(value)) refuse(value, 'UUID')
  return value
}

function decimal(value: unknown, name: string): string {
  if (typeof value === 'string' ? /^[+-]?\d+(\.\d*)?(e[+-]?\d+)?$/i.test(value) : Number.isFinite(value)) {
    return String(value)
  }
  return typeof value === 'bigint' ? value.toString() : refuse(value, name)
}

function refuse(value: unknown, name: string): never {
  throw unfit(value, name)
}
