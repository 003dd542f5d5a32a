import type { AvroSchema, SchemaRegistry } from '../../serde.ts'
import { subjectsRegistry } from './subjects.ts'

export interface InitialSchema {
  readonly subject: string
  readonly schema: AvroSchema
}

/**
 * A schema registry in memory, for tests and the topology driver; it answers at once. Ids are 1, 2, 3, … in the order
 * of registration; a schema must be BACKWARD compatible with the last of its subject, as in a real registry.
 *
 * @example
 * ```ts
 * const registry = memoryRegistry([{ subject: 'clicks-value', schema: Click }])
 * ```
 */
export function memoryRegistry(initial: readonly InitialSchema[] = []): SchemaRegistry {
  const content = { subjects: new Map<string, number[]>(), schemas: new Map<number, AvroSchema>() }
  const registry = subjectsRegistry({ content: () => content })
  for (const { subject, schema } of initial) registry.register(subject, schema)
  return registry
}
