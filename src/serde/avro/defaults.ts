import { MillraceError } from '../../errors.ts'
import { decimalText } from './decimal.ts'
import { reachable } from './graph.ts'
import { isNanos } from './logical.ts'
import { type AvroType, childrenOf, type Fixed, type Primitive, shapeOf, shownType, typeName } from './types.ts'

/**
 * The default of a field as a JavaScript expression that makes it anew each time, for generated code. Throws
 * `INVALID_SCHEMA` when the default is not of the type. A default of a union may be of any branch (Avro 1.12).
 */
export function defaultExpression(type: AvroType, json: unknown, bigint: boolean, path: string): string {
  const wrong = (): MillraceError =>
    new MillraceError(
      'INVALID_SCHEMA',
      `Avro schema, ${path}: the default ${JSON.stringify(json)} is not a value of ${shownType(type)}`,
    )

  switch (type.kind) {
    case 'null':
      if (json === null) return 'null'
      throw wrong()
    case 'boolean':
      if (typeof json === 'boolean') return String(json)
      throw wrong()
    case 'int':
      if (typeof json === 'number' && (json | 0) === json) return String(json)
      throw wrong()
    case 'long':
      if (!Number.isSafeInteger(json)) throw wrong()
      return bigint || isNanos(type.logical) ? `${json}n` : String(json)
    case 'float':
    case 'double':
      if (typeof json === 'number') return Object.is(json, -0) ? '-0' : String(json)
      throw wrong()
    case 'string':
      if (typeof json === 'string') return JSON.stringify(json)
      throw wrong()
    case 'bytes':
    case 'fixed':
      return bytesExpression(type, json, wrong)
    case 'enum':
      if (typeof json === 'string' && type.symbols.includes(json)) return JSON.stringify(json)
      throw wrong()
    case 'array':
      if (!Array.isArray(json)) throw wrong()
      return `[${json.map((item) => defaultExpression(type.items, item, bigint, `${path}[]`)).join(',')}]`
    case 'map':
      if (!isObject(json)) throw wrong()
      return `{${Object.entries(json)
        .map(([key, value]) => `${property(key)}:${defaultExpression(type.values, value, bigint, `${path}{}`)}`)
        .join(',')}}`
    case 'record':
      if (!isObject(json)) throw wrong()
      return `{${type.fields
        .map((field) => {
          const value = Object.hasOwn(json, field.name) ? json[field.name] : field.default?.json
          if (value === undefined) throw wrong()
          return `${property(field.name)}:${defaultExpression(field.type, value, bigint, `${path}.${field.name}`)}`
        })
        .join(',')}}`
    case 'union':
      for (const branch of type.branches) {
        try {
          const inner = defaultExpression(branch, json, bigint, path)
          return type.wrapped && branch.kind !== 'null' ? `{${property(typeName(branch))}:${inner}}` : inner
        } catch {
          // Not of this branch; perhaps of the next.
        }
      }
      throw wrong()
  }
}

function bytesExpression(type: Primitive | Fixed, json: unknown, wrong: () => Error): string {
  // One character per byte, U+0000 to U+00FF (Avro specification, "Complex Types").
  if (typeof json !== 'string' || /[^\p{ASCII}\u0080-\u00ff]/u.test(json)) throw wrong()
  const bytes = Buffer.from(json, 'latin1')
  if (type.kind === 'fixed' && bytes.length !== type.size) throw wrong()
  if (shapeOf(type) === 'bytes') return `Uint8Array.of(${[...bytes].join(',')})`
  const text =
    type.logical?.name === 'decimal'
      ? decimalText(bytes, 0, bytes.length, type.logical.scale ?? 0)
      : bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return JSON.stringify(text)
}

/** A property of an object literal; written plainly, `__proto__` would set the prototype. */
export function property(name: string): string {
  if (name === '__proto__') return '["__proto__"]'
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
}

/** Checks every default in a schema. Throws `INVALID_SCHEMA`. */
export function checkDefaults(root: AvroType): void {
  for (const type of reachable(root, childrenOf)) {
    if (type.kind !== 'record') continue
    for (const { name, type: fieldType, default: given } of type.fields) {
      if (given) defaultExpression(fieldType, given.json, false, `${type.name}.${name}`)
    }
  }
}

function isObject(json: unknown): json is { readonly [name: string]: unknown } {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
