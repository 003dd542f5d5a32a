import type { TimeUnits } from './column-encoder.ts'

/** A column that a field needs: what it is made as, and how its values are to be read. */
export interface ColumnSpec {
  readonly name: string
  /** ClickHouse type. */
  readonly type: string
  /** SQL of the DEFAULT expression: what rows written before the column was there read. */
  readonly defaultSql?: string
  /** What a value that is not there stands for, where the server would read NULL instead of the default. */
  readonly absent?: unknown
  /** Unit of the numbers that stand for times. Default ms. */
  readonly unit?: TimeUnits
}

/** The type as part of a sorting key, where NULL is not allowed. */
export function keyType(type: string): string {
  return type
    .replace(/^Nullable\((.*)\)$/s, '$1')
    .replace(/^LowCardinality\(Nullable\((.*)\)\)$/s, 'LowCardinality($1)')
}

/** The type with NULL added where it can be: not around Array, Map and Tuple, which are empty instead. */
export function nullable(type: string): string {
  if (/^(Nullable|Array|Map|Tuple|Nested|Variant|Dynamic|JSON)\b/.test(type)) return type
  const inner = /^LowCardinality\((.*)\)$/s.exec(type)?.[1]
  return inner === undefined ? `Nullable(${type})` : `LowCardinality(${nullable(inner)})`
}

const WIDER: Readonly<Record<string, readonly string[]>> = {
  Int8: ['Int16', 'Int32', 'Int64', 'Float64'],
  Int16: ['Int32', 'Int64', 'Float64'],
  Int32: ['Int64', 'Float64'],
  Int64: ['Float64'],
  Float32: ['Float64'],
}

/**
 * The type that an existing column must be altered to so that it can hold what `wanted` can, or undefined when it can
 * already or never will: integers become wider or floating, as Avro promotes them, and a column may take NULL.
 */
export function widened(current: string, wanted: string): string | undefined {
  const [from, to] = [keyType(current), keyType(wanted)]
  const type = WIDER[from]?.includes(to) ? to : from
  const wider = wanted !== to || current !== from ? nullable(type) : type
  return wider === current ? undefined : wider
}
