import type { AvroSchema } from '../serde.ts'
import { canonical } from './canonical.ts'
import { fieldsTaken } from './resolve.ts'
import type { AvroType } from './types.ts'

/** The reader's record with, behind its own fields, those that only the writer has. */
export function withFieldsOf(writer: AvroType, own: AvroType): AvroType {
  if (writer.kind !== 'record' || own.kind !== 'record') return own
  const taken = new Set(fieldsTaken(writer, own))
  const known = new Set(own.fields.map(({ name }) => name))
  const added = writer.fields.filter(({ name }) => !taken.has(name) && !known.has(name))
  return added.length === 0 ? own : { ...own, fields: [...own.fields, ...added] }
}

/** Schemas that values have had so far, told to everybody who listens, whenever they began. */
export interface SchemaNews {
  tell(type: AvroType): void
  listen(listener: (schema: AvroSchema) => void): void
}

export function schemaNews(): SchemaNews {
  const told = new Map<string, AvroSchema>()
  const listeners: ((schema: AvroSchema) => void)[] = []
  return {
    tell(type) {
      const text = canonical(type)
      if (told.has(text)) return
      const schema = JSON.parse(text) as AvroSchema
      told.set(text, schema)
      for (const listener of listeners) listener(schema)
    },
    listen(listener) {
      listeners.push(listener)
      for (const schema of told.values()) listener(schema)
    },
  }
}
