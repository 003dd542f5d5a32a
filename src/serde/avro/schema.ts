import { MillraceError } from '../../errors.ts'
import type { AvroSchema } from '../serde.ts'
import { checkedLogical } from './logical.ts'
import {
  type AvroType,
  type Field,
  type PrimitiveName,
  type RecordType,
  shapeOf,
  shownType,
  typeName,
  type Union,
} from './types.ts'

const primitives = new Set<string>(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
const simpleName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Parses a schema (or its JSON text). Throws `INVALID_SCHEMA`, naming the place. Defaults are not looked into here. */
export function parseSchema(schema: AvroSchema): AvroType {
  const names = new Map<string, AvroType>()

  function parse(node: unknown, namespace: string, path: string): AvroType {
    if (typeof node === 'string') return named(node, namespace, path)
    if (Array.isArray(node)) return union(node, namespace, path)
    if (typeof node !== 'object' || node === null) throw invalid(path, `${JSON.stringify(node)} is not a schema`)
    const attributes = node as Attributes
    const { type } = attributes
    if (typeof type === 'object') return parse(type, namespace, path)
    switch (type) {
      case 'record':
      case 'error':
        return record(attributes, namespace, path)
      case 'enum':
        return enumeration(attributes, namespace, path)
      case 'fixed':
        return fixed(attributes, namespace, path)
      case 'array':
        return { kind: 'array', items: parse(attributes.items, namespace, `${path}[]`) }
      case 'map':
        return { kind: 'map', values: parse(attributes.values, namespace, `${path}{}`) }
    }
    if (typeof type !== 'string') throw invalid(path, 'a schema needs a type')
    if (!primitives.has(type)) return named(type, namespace, path)
    const kind = type as PrimitiveName
    const logical = checkedLogical(attributes, kind)
    return logical ? { kind, logical } : { kind }
  }

  function named(name: string, namespace: string, path: string): AvroType {
    if (primitives.has(name)) return { kind: name as PrimitiveName }
    const known = names.get(qualified(name, namespace)) ?? names.get(name)
    if (!known) throw invalid(path, `"${name}" is neither a type nor the name of one defined before`)
    return known
  }

  function declare<T extends AvroType & { name: string }>(type: T, path: string): T {
    if (names.has(type.name)) throw invalid(path, `${type.name} is defined twice`)
    names.set(type.name, type)
    return type
  }

  function record(attributes: Attributes, outer: string, path: string): RecordType {
    const { name, namespace, aliases } = nameOf(attributes, outer, path)
    const { fields } = attributes
    if (!Array.isArray(fields)) throw invalid(path, `record ${name} needs an array of fields`)
    const parsed: Field[] = []
    const type = declare({ kind: 'record', name, aliases, fields: parsed } satisfies RecordType, path)
    for (const field of fields as Attributes[]) {
      const fieldName = field?.name
      if (typeof fieldName !== 'string' || !simpleName.test(fieldName)) {
        throw invalid(path, `record ${name} has a field with the name ${JSON.stringify(fieldName)}`)
      }
      const at = path === '' ? fieldName : `${path}.${fieldName}`
      if (parsed.some((other) => other.name === fieldName)) throw invalid(at, `${name} has two fields of this name`)
      if (field.type === undefined) throw invalid(at, 'the field has no type')
      parsed.push({
        name: fieldName,
        aliases: textList(field.aliases, at),
        type: parse(field.type, namespace, at),
        ...(field.default !== undefined && { default: { json: field.default } }),
        ...(typeof field.doc === 'string' && { doc: field.doc }),
      })
    }
    return type
  }

  function enumeration(attributes: Attributes, outer: string, path: string): AvroType {
    const { name, aliases } = nameOf(attributes, outer, path)
    const symbols = textList(attributes.symbols, path)
    if (symbols.length === 0 || new Set(symbols).size < symbols.length || !symbols.every((s) => simpleName.test(s))) {
      throw invalid(path, `enum ${name} needs symbols, all different, of letters, digits and _`)
    }
    const fallback = attributes.default
    if (fallback === undefined) return declare({ kind: 'enum', name, aliases, symbols }, path)
    if (typeof fallback !== 'string' || !symbols.includes(fallback)) {
      throw invalid(path, `the default of enum ${name}, ${JSON.stringify(fallback)}, is not one of its symbols`)
    }
    return declare({ kind: 'enum', name, aliases, symbols, default: fallback }, path)
  }

  function fixed(attributes: Attributes, outer: string, path: string): AvroType {
    const { name, aliases } = nameOf(attributes, outer, path)
    const size = attributes.size
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) {
      throw invalid(path, `fixed ${name} needs a size in bytes, got ${JSON.stringify(size)}`)
    }
    const logical = checkedLogical(attributes, 'fixed', size)
    return declare({ kind: 'fixed', name, aliases, size, ...(logical && { logical }) }, path)
  }

  function union(nodes: readonly unknown[], namespace: string, path: string): Union {
    const branches = nodes.map((node) => parse(node, namespace, path))
    const seen = new Set<string>()
    const shapes = new Set<string>()
    for (const branch of branches) {
      if (branch.kind === 'union') throw invalid(path, 'a union may not hold a union')
      if (seen.has(typeName(branch))) throw invalid(path, `the union holds ${shownType(branch)} twice`)
      seen.add(typeName(branch))
      shapes.add(shapeOf(branch))
    }
    return { kind: 'union', branches, wrapped: shapes.size < branches.length }
  }

  return parse(asJson(schema), '', '')
}

type Attributes = { readonly [name: string]: unknown }

/** The schema as JSON values, also when it is given as their text. */
export function asJson(schema: AvroSchema): AvroSchema {
  if (typeof schema !== 'string' || !/^\s*[[{"]/.test(schema)) return schema
  try {
    return JSON.parse(schema)
  } catch (error) {
    throw new MillraceError('INVALID_SCHEMA', 'Avro schema: the text is not JSON', { cause: error })
  }
}

function nameOf(attributes: Attributes, outer: string, path: string) {
  const given = attributes.name
  if (typeof given !== 'string') throw invalid(path, `${attributes.type} needs a name`)
  const within = typeof attributes.namespace === 'string' ? attributes.namespace : outer
  const name = qualified(given, within)
  if (!name.split('.').every((part) => simpleName.test(part)) || primitives.has(name)) {
    throw invalid(path, `${JSON.stringify(given)} cannot be the name of a type`)
  }
  const namespace = name.slice(0, Math.max(0, name.lastIndexOf('.')))
  return { name, namespace, aliases: textList(attributes.aliases, path).map((alias) => qualified(alias, namespace)) }
}

function qualified(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name.replace(/^\./, '') : `${namespace}.${name}`
}

function textList(value: unknown, path: string): readonly string[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw invalid(path, `${JSON.stringify(value)} should be an array of strings`)
}

function invalid(path: string, reason: string): MillraceError {
  return new MillraceError('INVALID_SCHEMA', `Avro schema${path === '' ? '' : `, ${path}`}: ${reason}`)
}
