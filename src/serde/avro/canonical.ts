import type { AvroType } from './types.ts'

/**
 * A schema as JSON text in which everything that decides how data is read is kept (aliases, defaults and logical types
 * too, unlike Avro's own Parsing Canonical Form), and nothing else: equal text, equal behaviour. Key of the caches and
 * of what counts as the same schema in the registries of this library.
 */
export function canonical(type: AvroType): string {
  return JSON.stringify(plain(type, new Set()))
}

function plain(type: AvroType, seen: Set<string>): unknown {
  if ('name' in type) {
    if (seen.has(type.name)) return type.name
    seen.add(type.name)
  }
  switch (type.kind) {
    case 'array':
      return { type: 'array', items: plain(type.items, seen) }
    case 'map':
      return { type: 'map', values: plain(type.values, seen) }
    case 'union':
      return type.branches.map((branch) => plain(branch, seen))
    case 'enum':
      return { type: 'enum', ...naming(type), symbols: type.symbols, default: type.default }
    case 'fixed':
      return { type: 'fixed', ...naming(type), size: type.size, ...logical(type.logical) }
    case 'record':
      return {
        type: 'record',
        ...naming(type),
        fields: type.fields.map((field) => ({
          name: field.name,
          type: plain(field.type, seen),
          default: field.default?.json,
          aliases: field.aliases.length ? field.aliases : undefined,
        })),
      }
    default:
      return type.logical ? { type: type.kind, ...logical(type.logical) } : type.kind
  }
}

function naming({ name, aliases }: { name: string; aliases: readonly string[] }) {
  return { name, aliases: aliases.length ? aliases : undefined }
}

function logical(logical: { name: string; precision?: number; scale?: number } | undefined) {
  return logical && { logicalType: logical.name, precision: logical.precision, scale: logical.scale }
}
