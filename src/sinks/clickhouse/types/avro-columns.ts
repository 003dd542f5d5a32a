import { parseSchema } from '../../../serde/avro/schema.ts'
import type { AvroType, Field, LogicalType, RecordType, Union } from '../../../serde/avro/types.ts'
import type { AvroSchema } from '../../../serde/serde.ts'
import { quoteName } from '../sql.ts'
import { defaultOf } from './avro-defaults.ts'
import type { TimeUnits } from './column-encoder.ts'
import { type ColumnSpec, nullable } from './column-spec.ts'

/** The columns of a record schema, one per field. Undefined for a schema of something else. */
export function recordColumns(schema: AvroSchema): ColumnSpec[] | undefined {
  const type = withoutNull(parseSchema(schema))
  return type.kind === 'record' ? type.fields.map(fieldColumn) : undefined
}

/** The one column of a schema, under a given name. */
export function valueColumn(name: string, schema: AvroSchema): ColumnSpec {
  return fieldColumn({ name, aliases: [], type: parseSchema(schema) })
}

function fieldColumn({ name, type, default: fallback }: Field): ColumnSpec {
  const unit = timeUnits(type)
  return {
    name,
    type: columnType(type),
    ...(unit !== undefined && { unit }),
    ...(fallback !== undefined && defaultOf(type, fallback.json)),
  }
}

/** The ClickHouse type of an Avro type. Types that refer to themselves, and mixed unions, are JSON in a String. */
function columnType(type: AvroType, within: readonly AvroType[] = []): string {
  if (within.includes(type)) return 'String'
  const inside = [...within, type]
  switch (type.kind) {
    case 'null':
      return 'Nullable(String)'
    case 'boolean':
      return 'Bool'
    case 'int':
    case 'long':
    case 'bytes':
    case 'string':
      return logicalType(type.logical) ?? PLAIN[type.kind]
    case 'float':
      return 'Float32'
    case 'double':
      return 'Float64'
    case 'fixed':
      return logicalType(type.logical) ?? (type.size > 0 ? `FixedString(${type.size})` : 'String')
    case 'enum':
      // Not Enum8: a new symbol would need an ALTER, and a producer does not wait for it.
      return 'LowCardinality(String)'
    case 'array':
      return `Array(${columnType(type.items, inside)})`
    case 'map':
      return `Map(String, ${columnType(type.values, inside)})`
    case 'record':
      return tuple(type, inside)
    case 'union':
      return union(type, inside)
  }
}

const PLAIN = { int: 'Int32', long: 'Int64', bytes: 'String', string: 'String' } as const

function logicalType(logical: LogicalType | undefined): string | undefined {
  switch (logical?.name) {
    case 'date':
      return 'Date32'
    case 'timestamp-millis':
    case 'local-timestamp-millis':
      return "DateTime64(3, 'UTC')"
    case 'timestamp-micros':
    case 'local-timestamp-micros':
      return "DateTime64(6, 'UTC')"
    case 'timestamp-nanos':
    case 'local-timestamp-nanos':
      return "DateTime64(9, 'UTC')"
    case 'uuid':
      return 'UUID'
    case 'decimal':
      return logical.precision! > 76 ? 'String' : `Decimal(${logical.precision}, ${logical.scale})`
    default:
      return undefined
  }
}

function tuple({ fields }: RecordType, within: readonly AvroType[]): string {
  if (fields.length === 0 || fields.some(({ type }) => mentions(type, within))) return 'String'
  return `Tuple(${fields.map(({ name, type }) => `${quoteName(name)} ${columnType(type, within)}`).join(', ')})`
}

function mentions(type: AvroType, types: readonly AvroType[]): boolean {
  if (types.includes(type)) return true
  if (type.kind === 'union') return type.branches.some((branch) => mentions(branch, types))
  if (type.kind === 'array') return mentions(type.items, types)
  if (type.kind === 'map') return mentions(type.values, types)
  return type.kind === 'record' && type.fields.some((field) => mentions(field.type, [...types, type]))
}

function union({ branches }: Union, within: readonly AvroType[]): string {
  const present = branches.filter(({ kind }) => kind !== 'null')
  const optional = present.length < branches.length
  const inner = present.length === 1 ? columnType(present[0]!, within) : mixed(present)
  return optional ? nullable(inner) : inner
}

/** A union of several types: numbers as the widest, everything else as text or JSON. */
function mixed(branches: readonly AvroType[]): string {
  const kinds = new Set<string>(branches.map((branch) => ('logical' in branch ? 'logical' : branch.kind)))
  const only = (...allowed: string[]) => [...kinds].every((kind) => allowed.includes(kind))
  if (kinds.size > 0 && only('int', 'long')) return 'Int64'
  return kinds.size > 0 && only('int', 'long', 'float', 'double') ? 'Float64' : 'String'
}

function timeUnits(type: AvroType, within: readonly AvroType[] = []): TimeUnits | undefined {
  if (within.includes(type)) return undefined
  const inside = [...within, type]
  switch (type.kind) {
    case 'long':
      return type.logical?.name.endsWith('-micros') ? 'us' : type.logical?.name.endsWith('-nanos') ? 'ns' : undefined
    case 'array':
      return timeUnits(type.items, inside)
    case 'map':
      return timeUnits(type.values, inside)
    case 'union':
      return type.branches.map((branch) => timeUnits(branch, inside)).find((unit) => unit !== undefined)
    case 'record': {
      const units = type.fields.map((field) => [field.name, timeUnits(field.type, inside)] as const)
      const known = units.filter((entry): entry is [string, TimeUnits] => entry[1] !== undefined)
      return known.length === 0 ? undefined : Object.fromEntries(known)
    }
    default:
      return undefined
  }
}

function withoutNull(type: AvroType): AvroType {
  if (type.kind !== 'union') return type
  const present = type.branches.filter(({ kind }) => kind !== 'null')
  return present.length === 1 ? present[0]! : type
}
