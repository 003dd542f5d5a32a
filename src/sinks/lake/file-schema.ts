import { MillraceError } from '../../errors.ts'
import { reachable } from '../../serde/avro/graph.ts'
import { asJson, parseSchema } from '../../serde/avro/schema.ts'
import { type AvroType, childrenOf } from '../../serde/avro/types.ts'
import type { AvroSchema } from '../../serde/serde.ts'

/** How a row of a file is made of a record. */
export interface FileSchema {
  /** What stands in the header of every file. */
  readonly schema: AvroSchema
  readonly json: string
  /** What comes first in a row; behind it come the metadata. 'json': key and value as texts. */
  readonly value: AvroType | 'json'
  readonly metadata: boolean
}

interface Field {
  readonly name: string
  readonly [key: string]: unknown
}

interface RecordSchema {
  readonly [key: string]: unknown
  readonly fields: readonly Field[]
}

const TIMESTAMP = { type: 'long', logicalType: 'timestamp-millis' }
const TEXT_OR_NULL = ['null', 'string']

const KEY: Field = { name: '_key', type: TEXT_OR_NULL, doc: 'Record key: a text as it is, anything else as JSON.' }
const ORIGIN: readonly Field[] = [
  { name: '_timestamp', type: TIMESTAMP, doc: 'Record time.' },
  { name: '_partition', type: 'int', doc: 'Partition of the source topic.' },
  { name: '_offset', type: 'long', doc: 'Offset in the source partition.' },
]

/**
 * The schema of the files: the value's record, or `{ value }` around a value that is no record, and the metadata.
 * Without a value schema, rows are `{ key, value }`, both texts, the value as JSON. Throws `INVALID_SCHEMA`.
 */
export function fileSchema(valueSchema: AvroSchema | undefined, metadata: boolean): FileSchema {
  if (valueSchema === undefined) {
    const fields = [
      { name: 'key', type: TEXT_OR_NULL },
      { name: 'value', type: 'string', doc: 'JSON.' },
    ]
    return make(wrapper('JsonRecord', [...fields, ...(metadata ? ORIGIN : [])]), 'json', metadata)
  }
  const value = parseSchema(valueSchema)
  const schema = asJson(valueSchema)
  const added = metadata ? [KEY, ...ORIGIN] : []
  if (value.kind !== 'record' || containsItself(value)) {
    return make(wrapper('LakeRecord', [{ name: 'value', type: schema }, ...added]), value, metadata)
  }
  const taken = added.find(({ name }) => value.fields.some((field) => field.name === name))
  if (taken) {
    throw new MillraceError('INVALID_SCHEMA', `the schema ${value.name} has a field ${taken.name} of its own`, {
      hint: 'lake() adds a field of that name: rename yours, or give the option includeMetadata: false',
    })
  }
  const record = schema as RecordSchema
  return make({ ...record, fields: [...record.fields, ...added] }, value, metadata)
}

function make(schema: AvroSchema, value: FileSchema['value'], metadata: boolean): FileSchema {
  return { schema, json: JSON.stringify(schema), value, metadata }
}

/** Without a namespace, which the schemas within would inherit. */
function wrapper(name: string, fields: readonly Field[]): AvroSchema {
  return { type: 'record', name, fields }
}

/** A recursive record cannot take on fields: they would appear at every level. */
function containsItself(type: AvroType): boolean {
  return childrenOf(type).some((child) => reachable(child, childrenOf).has(type))
}
