import type { Windowed } from '../../record.ts'
import type { Serde } from '../../serde/serde.ts'
import type { ResolvedOptions, Row } from './options.ts'
import { recordColumns, valueColumn } from './types/avro-columns.ts'
import { type ColumnSpec, keyType } from './types/column-spec.ts'
import { inferType } from './types/infer.ts'
import { END_OF_TIME } from './types/times.ts'

/** The columns of a key; null where there is no key to tell the row by. */
export type KeyColumns = (key: unknown) => Row | null

const NONE: Row = {}

/** How the options want keys written. */
export function keyColumns({ key: option, mode }: Pick<ResolvedOptions, 'key' | 'mode'>): KeyColumns {
  if (typeof option === 'function') return option
  const name = option ?? 'key'
  const plain = (key: unknown): Row | null => {
    if (key === null || key === undefined) return mode === 'append' ? NONE : null
    return isFields(key) ? key : { [name]: key }
  }
  return (key) => {
    if (!isWindowed(key)) return mode === 'append' && option === undefined ? NONE : plain(key)
    const { start, end } = key.window
    const columns = plain(key.key)
    return columns && { ...columns, window_start: start, window_end: Math.min(end, END_OF_TIME) }
  }
}

const WINDOW_COLUMNS: readonly ColumnSpec[] = [
  { name: 'window_start', type: "DateTime64(3, 'UTC')" },
  { name: 'window_end', type: "DateTime64(3, 'UTC')" },
]

const TYPE_OF_FORMAT: Readonly<Record<string, string>> = {
  string: 'String',
  bytes: 'String',
  boolean: 'Bool',
  uuid: 'UUID',
  short: 'Int16',
  integer: 'Int32',
  long: 'Int64',
  float: 'Float32',
  double: 'Float64',
}

/** The columns that keys of this serde become, or undefined where only the keys themselves will tell. */
export function keySpecs(
  { key: option, mode }: Pick<ResolvedOptions, 'key' | 'mode'>,
  serde: Serde<unknown> | undefined,
): ColumnSpec[] | undefined {
  if (serde === undefined || typeof option === 'function') return undefined
  const name = option ?? 'key'
  const [, inner] = /^(?:windowed|sessionWindowed)\((.*)\)$/s.exec(serde.format) ?? []
  const windowed = inner !== undefined
  if (!windowed && mode === 'append' && option === undefined) return []
  const plain = TYPE_OF_FORMAT[inner ?? serde.format]
  let specs = plain === undefined ? undefined : [{ name, type: plain } satisfies ColumnSpec]
  if (serde.schema !== undefined && !windowed) specs = recordColumns(serde.schema) ?? [valueColumn(name, serde.schema)]
  return specs && [...specs.map(asKey), ...(windowed ? WINDOW_COLUMNS : [])]
}

/** The column of a key of which only a value is known. */
export function inferKeySpec(name: string, value: unknown): ColumnSpec {
  const window = WINDOW_COLUMNS.find((column) => column.name === name)
  if (window && typeof value === 'number') return window
  const type = Number.isSafeInteger(value) ? 'Int64' : (inferType(value) ?? 'String')
  return asKey({ name, type })
}

/** Keys are compared, so they have neither NULL nor a default. */
function asKey({ name, type, unit }: ColumnSpec): ColumnSpec {
  return { name, type: keyType(type), ...(unit !== undefined && { unit }) }
}

function isWindowed(key: unknown): key is Windowed<unknown> {
  if (typeof key !== 'object' || key === null || !('window' in key) || !('key' in key)) return false
  const { window } = key
  return typeof window === 'object' && window !== null && 'start' in window && 'end' in window
}

/** An object with fields, as opposed to one value: times, bytes and lists are one value. */
export function isFields(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null) return false
  return !(Array.isArray(value) || value instanceof Date || value instanceof Uint8Array)
}
