import { nullable } from './column-spec.ts'

/**
 * The column type for a value of which no schema is known; undefined for null. Numbers are Float64, whole or not,
 * since the next one may be a fraction; objects are JSON in a String.
 */
export function inferType(value: unknown): string | undefined {
  const type = bareType(value)
  return type === undefined ? undefined : nullable(type)
}

function bareType(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return 'String'
    case 'number':
      return 'Float64'
    case 'boolean':
      return 'Bool'
    case 'bigint':
      return 'Int64'
    case 'object':
      if (value === null) return undefined
      if (value instanceof Date) return "DateTime64(3, 'UTC')"
      return Array.isArray(value) ? listType(value) : 'String'
    default:
      return undefined
  }
}

/** An empty list says nothing yet; one of mixed or nested items is JSON. */
function listType(items: readonly unknown[]): string | undefined {
  const types = new Set(items.map(bareType))
  const holes = types.delete(undefined)
  if (types.size === 0) return undefined
  const [type] = types
  if (types.size > 1 || type!.startsWith('Array') || items.some((item) => isPlainObject(item))) return 'String'
  return `Array(${holes ? `Nullable(${type})` : type})`
}

function isPlainObject(item: unknown): boolean {
  return typeof item === 'object' && item !== null && !(item instanceof Date) && !(item instanceof Uint8Array)
}
