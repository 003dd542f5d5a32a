import { MillraceError } from '../../errors.ts'
import type { AvroSchema } from '../../serde/serde.ts'

/** How a row of a file is made of a record. */
export interface FileSchema {
  /** What stands in the header of every file. */
  readonly schema: { readonly [key: string]: unknown }
  readonly json: string
  /** Schema of the value, which comes first in a row. */
  readonly value: AvroSchema
  /** 'json': the row is the key and the value as texts, since nothing is known about their schema. */
  readonly kind: 'avro' | 'json'
  readonly metadata: boolean
}

interface Field {
  readonly name: string
  readonly [key: string]: unknown
}

const TIMESTAMP = { type: 'long', logicalType: 'timestamp-millis' }
const TEXT_OR_NULL = ['null', 'string']

/** Where a row came from. Written behind the value's own fields when `includeMetadata` is on. */
const ORIGIN: readonly Field[] = [
  { name: '_timestamp', type: TIMESTAMP, doc: 'Record time.' },
  { name: '_partition', type: 'int', doc: 'Partition of the source topic.' },
  { name: '_offset', type: 'long', doc: 'Offset in the source partition.' },
]
const KEY: Field = { name: '_key', type: TEXT_OR_NULL, doc: 'Record key: a text as it is, anything else as JSON.' }

/**
 * The schema of the files: the value's record, or `{ value }` around a value that is no record, and the metadata.
 * Throws `INVALID_SCHEMA`. Without a value schema, rows are `{ key, value }`, both texts, the value as JSON.
 */
export function fileSchema(value: AvroSchema | undefined, metadata: boolean): FileSchema {
  if (value === undefined) {
    const fields = [
      { name: 'key', type: TEXT_OR_NULL },
      { name: 'value', type: 'string', doc: 'JSON.' },
    ]
    return make(record('JsonRecord', fields, metadata ? ORIGIN : []), 'string', 'json', metadata)
  }
  const parsed = parse(value)
  const origin = metadata ? [KEY, ...ORIGIN] : []
  if (!isRecord(parsed) || mentionsItself(parsed)) {
    return make(record('LakeRecord', [{ name: 'value', type: parsed }], origin), parsed, 'avro', metadata)
  }
  const taken = parsed.fields.find((field) => origin.some((added) => added.name === field.name))
  if (taken) {
    throw new MillraceError('INVALID_SCHEMA', `the schema ${parsed.name} has a field ${taken.name} of its own`, {
      hint: 'lake() adds a field of that name: rename yours, or give the option includeMetadata: false',
    })
  }
  return make({ ...parsed, fields: [...parsed.fields, ...origin] }, parsed, 'avro', metadata)
}

function make(schema: object, value: AvroSchema, kind: FileSchema['kind'], metadata: boolean): FileSchema {
  return { schema: schema as FileSchema['schema'], json: JSON.stringify(schema), value, kind, metadata }
}

function record(name: string, fields: readonly Field[], added: readonly Field[]): object {
  return { type: 'record', name, namespace: 'millrace.lake', fields: [...fields, ...added] }
}

/** A schema may be given as the text of an .avsc file. */
function parse(schema: AvroSchema): AvroSchema {
  if (typeof schema !== 'string' || !/^\s*[[{"]/.test(schema)) return schema
  try {
    return JSON.parse(schema) as AvroSchema
  } catch (cause) {
    throw new MillraceError('INVALID_SCHEMA', 'the schema is not JSON', { cause })
  }
}

interface RecordSchema {
  readonly [key: string]: unknown
  readonly type: 'record'
  readonly name: string
  readonly namespace?: string
  readonly fields: readonly Field[]
}

function isRecord(schema: AvroSchema): schema is RecordSchema {
  return typeof schema === 'object' && 'type' in schema && schema.type === 'record' && Array.isArray(schema.fields)
}

/** A recursive record cannot take on fields: they would appear at every level. */
function mentionsItself({ name, namespace, fields }: RecordSchema): boolean {
  const short = name.slice(name.lastIndexOf('.') + 1)
  const names = new Set([name, short, `${namespace ?? ''}.${short}`])
  const mentions = (type: unknown): boolean => {
    if (typeof type === 'string') return names.has(type)
    if (Array.isArray(type)) return type.some(mentions)
    if (typeof type !== 'object' || type === null) return false
    const schema = type as { type?: unknown; items?: unknown; values?: unknown; fields?: readonly Field[] }
    if (Array.isArray(schema.fields)) return schema.fields.some((field) => mentions(field.type))
    return mentions(schema.items) || mentions(schema.values) || mentions(schema.type)
  }
  return fields.some((field) => mentions(field.type))
}
