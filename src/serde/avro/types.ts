/** An Avro schema, parsed: names resolved (recursive types point at themselves), logical types checked. */
export type AvroType = Primitive | Fixed | Enumeration | ArrayType | MapType | Union | RecordType

export type PrimitiveName = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

export interface Primitive {
  readonly kind: PrimitiveName
  readonly logical?: LogicalType
}

interface Named {
  /** With the namespace: 'shop.Order'. */
  readonly name: string
  readonly aliases: readonly string[]
}

export interface Fixed extends Named {
  readonly kind: 'fixed'
  readonly size: number
  readonly logical?: LogicalType
}

export interface Enumeration extends Named {
  readonly kind: 'enum'
  readonly symbols: readonly string[]
  readonly default?: string
}

export interface ArrayType {
  readonly kind: 'array'
  readonly items: AvroType
}

export interface MapType {
  readonly kind: 'map'
  readonly values: AvroType
}

export interface Union {
  readonly kind: 'union'
  readonly branches: readonly AvroType[]
  /** True when values do not tell their branch by themselves: they are then written as `{ branch: value }`. */
  readonly wrapped: boolean
}

export interface RecordType extends Named {
  readonly kind: 'record'
  readonly fields: readonly Field[]
}

export interface Field {
  readonly name: string
  readonly aliases: readonly string[]
  readonly type: AvroType
  /** As JSON, boxed: `null` is a default too. */
  readonly default?: { readonly json: unknown }
  readonly doc?: string
}

/** The logical types that are known; any other, and an invalid one, is ignored, as the specification demands. */
export interface LogicalType {
  readonly name: LogicalName
  /** Of a decimal. */
  readonly precision?: number
  readonly scale?: number
}

export type LogicalName =
  | 'decimal'
  | 'uuid'
  | 'date'
  | 'time-millis'
  | 'time-micros'
  | 'timestamp-millis'
  | 'timestamp-micros'
  | 'timestamp-nanos'
  | 'local-timestamp-millis'
  | 'local-timestamp-micros'
  | 'local-timestamp-nanos'
  | 'duration'

/** The types that a type consists of. */
export function childrenOf(type: AvroType): readonly AvroType[] {
  if (type.kind === 'array') return [type.items]
  if (type.kind === 'map') return [type.values]
  if (type.kind === 'union') return type.branches
  return type.kind === 'record' ? type.fields.map((field) => field.type) : []
}

/** The name without the namespace. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

/** How a type is called in messages and as a branch of a union: its name, or its kind. */
export function typeName(type: AvroType): string {
  return 'name' in type ? type.name : type.kind
}

/** A type as it is shown in messages. */
export function shownType(type: AvroType): string {
  if (type.kind === 'union') return `[${type.branches.map(shownType).join(', ')}]`
  if (type.kind === 'array') return `array of ${shownType(type.items)}`
  if (type.kind === 'map') return `map of ${shownType(type.values)}`
  if (type.kind === 'enum') return `enum ${type.name}`
  if (type.kind === 'record') return `record ${type.name}`
  const base = type.kind === 'fixed' ? `fixed(${type.size}) ${type.name}` : type.kind
  const { logical } = type
  if (!logical) return base
  return logical.name === 'decimal'
    ? `decimal(${logical.precision}, ${logical.scale})`
    : `${base} (logical type ${logical.name})`
}

/** What a value of the type is in JavaScript; two branches of a union with the same one cannot be told apart. */
export type Shape = 'null' | 'boolean' | 'number' | 'string' | 'bytes' | 'array' | 'object'

export function shapeOf(type: Exclude<AvroType, Union>): Shape {
  switch (type.kind) {
    case 'null':
    case 'boolean':
    case 'string':
    case 'array':
      return type.kind
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 'number'
    case 'bytes':
    case 'fixed':
      return type.logical?.name === 'decimal' || type.logical?.name === 'uuid' ? 'string' : 'bytes'
    case 'enum':
      return 'string'
    default:
      return 'object'
  }
}

/** Whether a value of the type may take no bytes at all. */
export function canBeEmpty(type: AvroType, above: readonly AvroType[] = []): boolean {
  if (type.kind === 'record') {
    return !above.includes(type) && type.fields.every((field) => canBeEmpty(field.type, [...above, type]))
  }
  return type.kind === 'null' || (type.kind === 'fixed' && type.size === 0)
}
