import { MillraceError } from '../../errors.ts'
import type { AvroSchema, RegisterMode, SchemaRegistry } from '../serde.ts'
import { andThen, type Maybe } from './maybe.ts'
import { incompatibilities } from './resolve.ts'
import { parseSchema } from './schema.ts'
import type { AvroType } from './types.ts'

/** The schema that values are written with, and its id in the registry. */
export interface Published {
  readonly id: number
  readonly type: AvroType
}

/** Finds, or brings about, the id under which values of a schema may be written to a subject. */
export function publish(
  registry: SchemaRegistry,
  subject: string,
  schema: AvroSchema,
  type: AvroType,
  mode: RegisterMode,
): Maybe<Published> {
  if (mode === 'use-latest') return andThen(registry.latest(subject), (latest) => useLatest(subject, latest, type))
  return andThen(registry.idOf(subject, schema), (id) => {
    if (id !== undefined) return { id, type }
    if (mode === 'refuse') {
      throw new MillraceError('UNKNOWN_SCHEMA', `the schema is not registered under ${subject}`, {
        hint: `register it, or declare the serde with { register: 'register' }`,
      })
    }
    return andThen(registry.compatible(subject, schema), (compatible) =>
      compatible
        ? andThen(registry.register(subject, schema), (given) => ({ id: given, type }))
        : andThen(registry.latest(subject), (latest) => {
            throw refused(subject, incompatibilities(parseSchema(latest.schema), type))
          }),
    )
  })
}

function useLatest(subject: string, latest: { id: number; schema: AvroSchema }, own: AvroType): Published {
  const type = parseSchema(latest.schema)
  const reasons = incompatibilities(own, type)
  if (reasons.length === 0) return { id: latest.id, type }
  throw new MillraceError(
    'INCOMPATIBLE_SCHEMA',
    `values cannot be written with the latest schema of ${subject} (${latest.id}): ${reasons.join('; ')}`,
    { hint: 'bring the schema in the program up to date' },
  )
}

function refused(subject: string, reasons: readonly string[]): MillraceError {
  const because = reasons.length ? `: those who read with it cannot read the last version (${reasons.join('; ')})` : ''
  return new MillraceError(
    'INCOMPATIBLE_SCHEMA',
    `the registry does not accept the schema under ${subject}${because}`,
    {
      hint: 'give new fields a default, and keep the types of those that stay',
    },
  )
}
