import type { AvroType } from '../../../serde/avro/types.ts'
import { quoteText } from '../sql.ts'
import type { ColumnSpec } from './column-spec.ts'

/** The default of a field, given as in its schema: as SQL, and as the value that an absent one stands for. */
export function defaultOf(type: AvroType, json: unknown): Pick<ColumnSpec, 'defaultSql' | 'absent'> {
  if (json === null) return {}
  const sql = sqlOf(branchOf(type, json), json)
  return sql === undefined ? {} : { defaultSql: sql, ...(isPlain(type, json) && { absent: json }) }
}

/** A default of a union belongs to its first branch, and since Avro 1.12 to any. */
function branchOf(type: AvroType, json: unknown): AvroType {
  if (type.kind !== 'union') return type
  return type.branches.find((branch) => sqlOf(branch, json) !== undefined) ?? type
}

/** True where the JSON of the default is what the value would be in JavaScript: not for bytes. */
function isPlain(type: AvroType, json: unknown): boolean {
  const { kind } = branchOf(type, json)
  return kind !== 'bytes' && kind !== 'fixed'
}

/** The default as SQL; undefined when it is none of the type, or a decimal or union inside of something. */
function sqlOf(type: AvroType, json: unknown): string | undefined {
  switch (type.kind) {
    case 'boolean':
      return typeof json === 'boolean' ? String(json) : undefined
    case 'int':
    case 'long':
      return Number.isInteger(json) ? wholeNumber(type.logical?.name, json as number) : undefined
    case 'float':
    case 'double':
      return typeof json === 'number' ? String(json) : undefined
    case 'string':
    case 'enum':
      return typeof json === 'string' ? quoteText(json) : undefined
    case 'bytes':
    case 'fixed':
      if (typeof json !== 'string' || type.logical) return undefined
      return `unhex('${Buffer.from(json, 'latin1').toString('hex')}')`
    case 'array':
      return Array.isArray(json)
        ? list(
            '[',
            json.map((item) => sqlOf(type.items, item)),
            ']',
          )
        : undefined
    case 'map': {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
      const entries = Object.entries(json).flatMap(([key, value]) => [quoteText(key), sqlOf(type.values, value)])
      return list('map(', entries, ')')
    }
    default:
      return undefined
  }
}

/** An empty list needs no default: it is what a column has without one. */
function list(open: string, items: readonly (string | undefined)[], close: string): string | undefined {
  return items.length === 0 || items.includes(undefined) ? undefined : `${open}${items.join(', ')}${close}`
}

function wholeNumber(logical: string | undefined, value: number): string {
  if (logical === 'date') return `addDays(toDate32('1970-01-01'), ${value})`
  if (logical?.endsWith('timestamp-millis')) return `fromUnixTimestamp64Milli(toInt64(${value}), 'UTC')`
  if (logical?.endsWith('timestamp-micros')) return `fromUnixTimestamp64Micro(toInt64(${value}), 'UTC')`
  if (logical?.endsWith('timestamp-nanos')) return `fromUnixTimestamp64Nano(toInt64(${value}), 'UTC')`
  return String(value)
}
