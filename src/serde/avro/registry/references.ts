import type { AvroSchema } from '../../serde.ts'

/**
 * A schema that names types of other schemas, with their definitions put in at the first use of each name, so that it
 * stands by itself. `definitions`: full name to schema, themselves complete or naming one another.
 */
export function withDefinitions(schema: AvroSchema, definitions: ReadonlyMap<string, AvroSchema>): AvroSchema {
  const placed = new Set<string>()

  function place(node: unknown, namespace: string): unknown {
    if (typeof node === 'string') {
      const full = node.includes('.') || namespace === '' ? node : `${namespace}.${node}`
      const name = definitions.has(full) ? full : node
      const definition = definitions.get(name)
      if (definition === undefined) return node
      if (placed.has(name)) return name
      placed.add(name)
      // A definition keeps its own namespace, wherever it stands.
      return place({ namespace: '', ...(definition as object) }, '')
    }
    if (Array.isArray(node)) return node.map((branch) => place(branch, namespace))
    if (typeof node !== 'object' || node === null) return node
    return placeWithin(node as Attributes, namespace)
  }

  function placeWithin(node: Attributes, outer: string): Attributes {
    const { type, fields, items, values } = node
    const name = typeof node.name === 'string' ? node.name : ''
    const given = typeof node.namespace === 'string' ? node.namespace : outer
    const namespace = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : given
    if (type === 'record' || type === 'error' || type === 'enum' || type === 'fixed') {
      placed.add(name.includes('.') || namespace === '' ? name : `${namespace}.${name}`)
    }
    return {
      ...node,
      type: typeof type === 'object' || isReference(type) ? place(type, namespace) : type,
      ...(Array.isArray(fields) && {
        fields: fields.map((field: Attributes) => ({ ...field, type: place(field.type, namespace) })),
      }),
      ...(items !== undefined && { items: place(items, namespace) }),
      ...(values !== undefined && { values: place(values, namespace) }),
    }
  }

  return place(schema, '') as AvroSchema
}

type Attributes = { readonly [name: string]: unknown }

const kinds = new Set('record error enum fixed array map null boolean int long float double bytes string'.split(' '))

function isReference(type: unknown): boolean {
  return typeof type === 'string' && !kinds.has(type)
}
