import { shown } from '../faults.ts'
import { unscaled } from './decimal.ts'
import { onlyKey, uuidForm } from './primitives.ts'
import { type AvroType, type RecordType, shapeOf, shownType, typeName, type Union } from './types.ts'

/** The first place where a value is not one of the schema, and why; asked only after an encode has failed. */
export function explain(type: AvroType, value: unknown, path = ''): string | undefined {
  const wrong = `${path || 'the value'}: expected ${shownType(type)}, got ${shown(value)}`
  switch (type.kind) {
    case 'null':
      return value === null || value === undefined ? undefined : wrong
    case 'boolean':
      return typeof value === 'boolean' ? undefined : wrong
    case 'int':
      return typeof value === 'number' && (value | 0) === value ? undefined : wrong
    case 'long':
      if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? undefined : wrong
      return Number.isSafeInteger(value) ? undefined : wrong
    case 'float':
    case 'double':
      return typeof value === 'number' ? undefined : wrong
    case 'string':
      return typeof value === 'string' ? undefined : wrong
    case 'bytes':
    case 'fixed':
      return explainBinary(type, value) ? undefined : wrong
    case 'enum':
      if (type.symbols.includes(value as string)) return undefined
      return `${wrong}; its symbols are ${type.symbols.slice(0, 10).join(', ')}${type.symbols.length > 10 ? ' …' : ''}`
    case 'array':
      if (!Array.isArray(value)) return wrong
      return first(value.map((item, index) => [`${path}[${index}]`, type.items, item]))
    case 'map':
      if (!isObject(value) || value instanceof Map || value instanceof Set) return wrong
      return first(Object.entries(value).map(([key, item]) => [`${path}[${JSON.stringify(key)}]`, type.values, item]))
    case 'record':
      return isObject(value) ? explainRecord(type, value, path) : wrong
    case 'union':
      return explainUnion(type, value, path, wrong)
  }
}

function explainBinary(type: AvroType & object, value: unknown): boolean {
  const { logical, size } = type as { logical?: { name: string; precision?: number; scale?: number }; size?: number }
  if (logical?.name === 'decimal') return unscaled(value, logical.precision ?? 0, logical.scale ?? 0) !== undefined
  if (logical?.name === 'uuid') return typeof value === 'string' && uuidForm.test(value)
  return value instanceof Uint8Array && (size === undefined || value.length === size)
}

function explainRecord(
  type: RecordType,
  value: { readonly [name: string]: unknown },
  path: string,
): string | undefined {
  for (const field of type.fields) {
    const inner = value[field.name]
    if (inner === undefined && field.default) continue
    const at = path === '' ? field.name : `${path}.${field.name}`
    if (inner === undefined && !acceptsNull(field.type))
      return `${at}: is missing (${shownType(field.type)}, no default)`
    const found = explain(field.type, inner, at)
    if (found) return found
  }
  return undefined
}

function explainUnion(type: Union, value: unknown, path: string, wrong: string): string | undefined {
  if (value === null || value === undefined) return acceptsNull(type) ? undefined : wrong
  if (type.wrapped) {
    const key = onlyKey(value)
    const branch = type.branches.find((each) => typeName(each) === key && each.kind !== 'null')
    const names = type.branches.map(typeName).join(', ')
    if (!branch) return `${wrong}; values of this union are written as { branch: value }, with one of ${names}`
    return explain(branch, (value as { [name: string]: unknown })[key as string], `${path}.${key}`)
  }
  const branch = type.branches.find((each) => shapeOf(each as Exclude<AvroType, Union>) === shapeOfValue(value))
  return branch ? explain(branch, value, path) : wrong
}

function shapeOfValue(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (value instanceof Uint8Array) return 'bytes'
  return typeof value === 'bigint' ? 'number' : typeof value
}

function acceptsNull(type: AvroType): boolean {
  return type.kind === 'null' || (type.kind === 'union' && type.branches.some((branch) => branch.kind === 'null'))
}

function first(places: readonly (readonly [string, AvroType, unknown])[]): string | undefined {
  for (const [path, type, value] of places) {
    const found = explain(type, value, path)
    if (found) return found
  }
  return undefined
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}
