import { type ColumnEncoder, type TimeUnits, unfit } from './column-encoder.ts'
import { decimalEncoder } from './decimals.ts'
import { numberEncoder, writeLongs } from './numbers.ts'
import { textEncoder } from './texts.ts'
import { timeEncoder } from './times.ts'
import { type TypeName, unquote } from './type-name.ts'

/** The encoder of a column of this type; that of what is inside for Nullable, which the block deals with. */
export function encoderFor(type: TypeName, unit: TimeUnits = 'ms'): ColumnEncoder {
  switch (type.name) {
    case 'Nullable':
    case 'LowCardinality':
    case 'SimpleAggregateFunction':
      return encoderFor(type.types[0]!, unit)
    case 'Bool':
      return bool
    case 'Decimal':
      return decimalEncoder(type)
    case 'Array':
      return array(type, unit)
    case 'Map':
      return map(type, unit)
    case 'Tuple':
      return tuple(type, unit)
    case 'Nested':
      return array({ ...type, types: [{ ...type, name: 'Tuple' }] }, unit)
    default:
      return numberEncoder(type.name) ?? timeEncoder(type, typeof unit === 'string' ? unit : 'ms') ?? textEncoder(type)
  }
}

/** Whether the column, or the element, takes NULL. */
export function takesNull(type: TypeName): boolean {
  return type.name === 'Nullable' || (type.name === 'LowCardinality' && takesNull(type.types[0]!))
}

const bool: ColumnEncoder = {
  wire: 'Bool',
  nulls: 'always',
  empty: false,
  emptySize: 1,
  convert(value) {
    if (typeof value === 'boolean') return value
    if (value === 0 || value === 1) return value === 1
    throw unfit(value, 'Bool')
  },
  write(values, out) {
    out.ensure(values.length)
    for (let i = 0; i < values.length; i++) out.buffer[out.position++] = values[i] ? 1 : 0
  },
}

/** An element of an array or a tuple, a key or a value of a map: null where the type takes it. */
function element(type: TypeName, unit: TimeUnits): ColumnEncoder {
  const inner = encoderFor(type, unit)
  if (!takesNull(type)) return inner
  return {
    wire: `Nullable(${inner.wire})`,
    nulls: 'never',
    empty: null,
    emptySize: 1 + inner.emptySize,
    convert: (value) => (value === null || value === undefined ? null : inner.convert(value)),
    write(values, out) {
      out.ensure(values.length)
      for (let i = 0; i < values.length; i++) out.buffer[out.position++] = values[i] === null ? 1 : 0
      inner.write(
        values.map((value) => (value === null ? inner.empty : value)),
        out,
      )
    },
  }
}

function array({ types: [type], text }: TypeName, unit: TimeUnits): ColumnEncoder {
  const item = element(type!, unit)
  return {
    wire: `Array(${item.wire})`,
    nulls: 'never',
    empty: [],
    emptySize: 8,
    convert(value) {
      if (!isList(value)) throw unfit(value, text)
      return Array.from(value, (one) => convertElement(item, one, text))
    },
    write(values, out) {
      writeLongs(ends(values as unknown[][]), out)
      item.write((values as unknown[][]).flat(), out)
    },
  }
}

function map({ types: [keyType, valueType], text }: TypeName, unit: TimeUnits): ColumnEncoder {
  const key = element(keyType!, unit)
  const item = element(valueType!, unit)
  return {
    wire: `Map(${key.wire}, ${item.wire})`,
    nulls: 'never',
    empty: [],
    emptySize: 8,
    convert(value) {
      if (typeof value !== 'object' || isList(value)) throw unfit(value, text)
      const entries = value instanceof Map ? [...value] : Object.entries(value!)
      return entries.map(([k, v]) => [convertElement(key, k, text), convertElement(item, v, text)])
    },
    write(values, out) {
      writeLongs(ends(values as unknown[][]), out)
      const entries = (values as [unknown, unknown][][]).flat()
      key.write(
        entries.map(([k]) => k),
        out,
      )
      item.write(
        entries.map(([, v]) => v),
        out,
      )
    },
  }
}

function tuple({ types, labels, text }: TypeName, unit: TimeUnits): ColumnEncoder {
  const names = labels?.map(unquote)
  const unitOf = (i: number) => (typeof unit === 'string' ? unit : (unit[names?.[i] ?? ''] ?? 'ms'))
  const items = types.map((type, i) => element(type, unitOf(i)))
  return {
    wire: `Tuple(${items.map(({ wire }, i) => (labels ? `${labels[i]} ${wire}` : wire)).join(', ')})`,
    nulls: 'never',
    empty: items.map(({ empty }) => empty),
    emptySize: items.reduce((sum, { emptySize }) => sum + emptySize, 0),
    convert(value) {
      if (typeof value !== 'object' || value === null || value instanceof Date) throw unfit(value, text)
      const read = (i: number) =>
        names && !Array.isArray(value) ? (value as Record<string, unknown>)[names[i]!] : (value as unknown[])[i]
      return items.map((item, i) => {
        const one = read(i)
        return one === null || one === undefined ? item.empty : item.convert(one)
      })
    },
    write(values, out) {
      for (let i = 0; i < items.length; i++) {
        items[i]!.write(
          values.map((value) => (value as unknown[])[i]),
          out,
        )
      }
    },
  }
}

function convertElement(encoder: ColumnEncoder, value: unknown, text: string): unknown {
  if ((value === null || value === undefined) && !encoder.wire.startsWith('Nullable')) throw unfit(null, text)
  return encoder.convert(value)
}

/** A list in the sense of Array: not bytes, which are a text. */
function isList(value: unknown): value is Iterable<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array)) || value instanceof Set
}

/** Where each list ends among the elements of all. */
function ends(lists: readonly { readonly length: number }[]): number[] {
  let end = 0
  return lists.map(({ length }) => (end += length))
}
