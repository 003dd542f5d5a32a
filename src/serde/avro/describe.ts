import { MillraceError } from '../../errors.ts'
import type { AvroSchema } from '../serde.ts'
import { parseSchema } from './schema.ts'
import type { AvroType, LogicalName, PrimitiveName } from './types.ts'

/** A type without Avro's spelling, for those who make tables and files from schemas. */
export type FieldType = Annotated &
  (
    | { readonly kind: PrimitiveName }
    | { readonly kind: 'fixed'; readonly name: string; readonly size: number }
    | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] }
    | { readonly kind: 'array'; readonly items: ElementType }
    | { readonly kind: 'map'; readonly values: ElementType }
    | { readonly kind: 'record'; readonly name: string; readonly fields: readonly SchemaField[] }
    /** Of more than one branch besides null; `wrapped`: values are `{ branch: value }`. */
    | { readonly kind: 'union'; readonly branches: readonly FieldType[]; readonly wrapped: boolean }
    /** A record within itself. */
    | { readonly kind: 'recursive'; readonly name: string }
  )

interface Annotated {
  readonly logicalType?: LogicalName
  /** Of a decimal. */
  readonly precision?: number
  readonly scale?: number
}

export interface ElementType {
  readonly type: FieldType
  /** Whether null is a value, too. */
  readonly nullable: boolean
}

export interface SchemaField extends ElementType {
  readonly name: string
  /** As JSON, boxed: `null` is a default too. */
  readonly default?: { readonly json: unknown }
  readonly doc?: string
}

/**
 * The fields of a record schema, in order. `[null, T]` is a nullable T; references by name are resolved. Throws
 * `INVALID_SCHEMA`, also when the schema is not a record.
 *
 * @example
 * ```ts
 * for (const { name, type, nullable } of describeFields(schema)) column(name, type.kind, type.logicalType, nullable)
 * ```
 */
export function describeFields(schema: AvroSchema): readonly SchemaField[] {
  const type = parseSchema(schema)
  const description = describeType(type, [])
  if (description.kind !== 'record')
    throw new MillraceError('INVALID_SCHEMA', `a record was expected, got ${type.kind}`)
  return description.fields
}

function describeType(type: AvroType, above: readonly AvroType[]): FieldType {
  if (above.includes(type) && 'name' in type) return { kind: 'recursive', name: type.name }
  const within = [...above, type]
  switch (type.kind) {
    case 'array':
      return { kind: 'array', items: element(type.items, within) }
    case 'map':
      return { kind: 'map', values: element(type.values, within) }
    case 'union': {
      const branches = type.branches.map((branch) => describeType(branch, within))
      return { kind: 'union', branches, wrapped: type.wrapped }
    }
    case 'enum':
      return { kind: 'enum', name: type.name, symbols: type.symbols }
    case 'fixed':
      return { kind: 'fixed', name: type.name, size: type.size, ...annotation(type.logical) }
    case 'record': {
      const fields = type.fields.map((field) => ({
        name: field.name,
        ...element(field.type, within),
        ...(field.default && { default: field.default }),
        ...(field.doc !== undefined && { doc: field.doc }),
      }))
      return { kind: 'record', name: type.name, fields }
    }
    default:
      return { kind: type.kind, ...annotation(type.logical) }
  }
}

function element(type: AvroType, above: readonly AvroType[]): ElementType {
  if (type.kind === 'null') return { type: { kind: 'null' }, nullable: true }
  if (type.kind !== 'union') return { type: describeType(type, above), nullable: false }
  const others = type.branches.filter((branch) => branch.kind !== 'null')
  const nullable = others.length < type.branches.length
  if (others.length === 0) return { type: { kind: 'null' }, nullable }
  if (others.length === 1) return { type: describeType(others[0], above), nullable }
  return { type: describeType({ ...type, branches: others }, above), nullable }
}

function annotation(logical: { name: LogicalName; precision?: number; scale?: number } | undefined): Annotated {
  if (!logical) return {}
  const { name, precision, scale } = logical
  return { logicalType: name, ...(precision !== undefined && { precision, scale }) }
}
