import { MillraceError } from '../../../errors.ts'
import type { AvroSchema, RegisteredSchema, SchemaRegistry } from '../../serde.ts'
import { canonical } from '../canonical.ts'
import { incompatibilities } from '../resolve.ts'
import { asJson, parseSchema } from '../schema.ts'

/** What a registry of our own holds: the ids of each subject, oldest first, and the schema of each id. */
export interface RegistryContent {
  readonly subjects: Map<string, number[]>
  readonly schemas: Map<number, AvroSchema>
}

/** A registry that answers at once. */
export type ImmediateRegistry = {
  readonly [M in keyof SchemaRegistry]: (
    ...parameters: Parameters<SchemaRegistry[M]>
  ) => Exclude<ReturnType<SchemaRegistry[M]>, Promise<unknown>>
}

export interface SubjectsOptions {
  /** Called before each answer. */
  readonly content: () => RegistryContent
  /** Called after content was changed by a registration; the change counts when it returns. */
  readonly changed?: (content: RegistryContent) => void
}

/**
 * A registry over content that is at hand; it answers at once. The rules are Confluent's: one id per schema, whatever
 * the subject; a schema joins a subject when those who read with it can read what the last one wrote (BACKWARD).
 * Schemas are the same when they differ in documentation only.
 */
export function subjectsRegistry({ content, changed }: SubjectsOptions): ImmediateRegistry {
  const text = (schema: AvroSchema): string => canonical(parseSchema(schema))

  function lastOf(subject: string): RegisteredSchema | undefined {
    const { subjects, schemas } = content()
    const id = subjects.get(subject)?.at(-1)
    return id === undefined ? undefined : { id, schema: schemas.get(id) as AvroSchema }
  }

  function conflicts(subject: string, schema: AvroSchema): string[] {
    const last = lastOf(subject)
    return last ? incompatibilities(parseSchema(last.schema), parseSchema(schema)) : []
  }

  function idOf(subject: string, schema: AvroSchema): number | undefined {
    const { subjects, schemas } = content()
    const wanted = text(schema)
    return subjects.get(subject)?.find((id) => text(schemas.get(id) as AvroSchema) === wanted)
  }

  return {
    idOf,
    schema(id) {
      const schema = content().schemas.get(id)
      if (schema === undefined) throw new MillraceError('UNKNOWN_SCHEMA', `the registry has no schema ${id}`)
      return schema
    },
    latest(subject) {
      const last = lastOf(subject)
      if (!last) throw new MillraceError('UNKNOWN_SCHEMA', `the registry has no subject ${subject}`)
      return last
    },
    compatible: (subject, schema) => conflicts(subject, schema).length === 0,
    register(subject, schema) {
      const existing = idOf(subject, schema)
      if (existing !== undefined) return existing
      const reasons = conflicts(subject, schema)
      if (reasons.length > 0) {
        throw new MillraceError('INCOMPATIBLE_SCHEMA', `${subject} does not accept the schema: ${reasons.join('; ')}`)
      }
      const { subjects, schemas } = content()
      const wanted = text(schema)
      const elsewhere = [...schemas].find(([, other]) => text(other) === wanted)
      const id = elsewhere?.[0] ?? Math.max(0, ...schemas.keys()) + 1
      const next = {
        subjects: new Map(subjects).set(subject, [...(subjects.get(subject) ?? []), id]),
        schemas: elsewhere ? schemas : new Map(schemas).set(id, asJson(schema)),
      }
      changed?.(next)
      subjects.set(subject, next.subjects.get(subject) as number[])
      schemas.set(id, next.schemas.get(id) as AvroSchema)
      return id
    },
  }
}
