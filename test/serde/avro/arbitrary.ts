import fc from 'fast-check'
import type { AvroType } from '../../../src/serde/avro/types.ts'

/** fast-check's generator function: draws a value inside a property. */
export type Draw = <T, A extends unknown[]>(arbitrary: (...args: A) => fc.Arbitrary<T>, ...args: A) => T

export type Json = string | { [name: string]: unknown } | Json[]

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const
const upTo = (draw: Draw, max: number) => draw(fc.integer, { min: 0, max })
const pick = <T>(draw: Draw, options: readonly T[]): T => options[upTo(draw, options.length - 1)]

/**
 * A schema with names of its own for everything; records may contain themselves. Without `promotable`, no branch of a
 * union can be promoted to another: where it can, avsc takes the first that is possible, and we the equal one.
 */
export function randomSchema(draw: Draw, promotable = true, depth = 3): Json {
  let names = 0
  const named = (kind: string) => `${kind}${names++}`

  function any(level: number, above: readonly string[]): Json {
    const kinds = level === 0 ? 10 : 15
    const kind = upTo(draw, kinds)
    if (kind < 8) return primitives[kind]
    if (kind === 8) return { type: 'enum', name: named('E'), symbols: ['A', 'B', 'C', 'D'].slice(0, 1 + upTo(draw, 3)) }
    if (kind === 9) return { type: 'fixed', name: named('F'), size: upTo(draw, 5) }
    if (kind === 10) return above.length && upTo(draw, 1) ? ['null', pick(draw, above)] : 'string'
    if (kind === 11) return { type: 'array', items: any(level - 1, above) }
    if (kind === 12) return { type: 'map', values: any(level - 1, above) }
    if (kind === 13) return union(level - 1, above)
    return record(level - 1, above)
  }

  function record(level: number, above: readonly string[]): Json {
    const name = named('R')
    const fields = Array.from({ length: upTo(draw, 5) }, (_, i) => ({
      name: `f${i}`,
      type: any(level, [...above, name]),
    }))
    return { type: 'record', name, fields }
  }

  function union(level: number, above: readonly string[]): Json {
    const branches: Json[] = []
    const taken = new Set<string>()
    for (let i = upTo(draw, 3); i >= 0; i--) {
      const branch = any(level, above)
      if (Array.isArray(branch)) continue
      const key = branchKey(branch, promotable)
      if (taken.has(key)) continue
      taken.add(key)
      branches.push(branch)
    }
    return branches.length ? branches : ['null']
  }

  return record(depth, [])
}

function branchKey(branch: Exclude<Json, Json[]>, promotable: boolean): string {
  const key = typeof branch === 'string' ? branch : String(branch.name ?? branch.type)
  if (promotable) return key
  if (['int', 'long', 'float', 'double'].includes(key)) return 'number'
  return key === 'bytes' ? 'string' : key
}

/** A value of the type, in the representation that avsc and this library share: bytes are Buffers. */
export function randomValue(draw: Draw, type: AvroType, depth = 4): unknown {
  switch (type.kind) {
    case 'null':
      return null
    case 'boolean':
      return draw(fc.boolean)
    case 'int':
      return upTo(draw, 1) ? draw(fc.integer) : draw(fc.integer, { min: -70, max: 70 })
    case 'long':
      return upTo(draw, 1) ? draw(fc.integer, { min: -(2 ** 52), max: 2 ** 52 }) : draw(fc.integer)
    case 'float':
      return draw(fc.float)
    case 'double':
      return draw(fc.double)
    case 'bytes':
      return Buffer.from(draw(fc.uint8Array, { maxLength: 5 }))
    case 'fixed':
      return Buffer.from(draw(fc.uint8Array, { minLength: type.size, maxLength: type.size }))
    case 'string':
      return upTo(draw, 9) ? draw(fc.string, { maxLength: 8 }) : draw(fc.string, { unit: 'grapheme', maxLength: 90 })
    case 'enum':
      return pick(draw, type.symbols)
    case 'array':
      return Array.from({ length: depth > 0 ? upTo(draw, 3) : 0 }, () => randomValue(draw, type.items, depth - 1))
    case 'map': {
      const keys = depth > 0 ? draw(fc.array<string>, fc.string({ maxLength: 5 }), { maxLength: 3 }) : []
      return Object.fromEntries(
        keys.filter((key) => key !== '__proto__').map((key) => [key, randomValue(draw, type.values, depth - 1)]),
      )
    }
    case 'record':
      return Object.fromEntries(type.fields.map((field) => [field.name, randomValue(draw, field.type, depth - 1)]))
    case 'union': {
      const nullBranch = type.branches.find((branch) => branch.kind === 'null')
      const branch = depth <= 0 && nullBranch ? nullBranch : pick(draw, type.branches)
      const value = randomValue(draw, branch, depth - 1)
      return type.wrapped && branch.kind !== 'null' ? { ['name' in branch ? branch.name : branch.kind]: value } : value
    }
  }
}

/** The schema as a later version of it might be: most changes are allowed ones, some are not. */
export function evolved(draw: Draw, schema: Json): Json {
  let names = 0
  const seldom = () => upTo(draw, 7) === 0

  function change(node: Json): Json {
    if (typeof node === 'string') return promoted(node)
    if (Array.isArray(node)) return changedUnion(node)
    switch (node.type) {
      case 'record':
        return changedRecord(node)
      case 'enum': {
        const symbols = node.symbols as string[]
        if (seldom()) return { ...node, symbols: [...symbols, 'X'].reverse() }
        if (seldom()) return { ...node, symbols: ['Y', ...symbols.slice(1)], default: 'Y' }
        return seldom() ? { ...node, name: `${node.name}x`, aliases: [node.name] } : node
      }
      case 'array':
        return { ...node, items: change(node.items as Json) }
      case 'map':
        return { ...node, values: change(node.values as Json) }
      default:
        return node
    }
  }

  function promoted(name: string): Json {
    if (seldom() && name !== 'null' && !/[A-Z]/.test(name)) return ['null', name]
    if (!seldom()) return name
    if (name === 'int') return pick(draw, ['long', 'float', 'double'])
    if (name === 'long') return pick(draw, ['float', 'double'])
    if (name === 'float') return 'double'
    if (name === 'string') return 'bytes'
    if (name === 'bytes') return 'string'
    return name
  }

  function changedUnion(branches: Json[]): Json {
    // With branches that can be promoted to one another avsc does not prefer the equal one: see resolve.test.ts.
    const kept = branches.filter((branch) => typeof branch !== 'string' || !seldom())
    return kept.length ? kept : branches
  }

  function changedRecord(node: { [name: string]: unknown }): Json {
    let fields = (node.fields as { name: string; type: Json }[])
      .filter(() => !seldom())
      .map((field) => {
        const next = { ...field, type: change(field.type) }
        return seldom() ? { ...next, name: `${field.name}r`, aliases: [field.name] } : next
      })
    if (seldom()) fields = fields.reverse()
    if (seldom()) {
      const added = pick(draw, [
        { type: 'int', default: 42 },
        { type: ['null', 'string'], default: null },
        { type: 'bytes', default: '\u0000ÿ' },
        { type: { type: 'array', items: 'long' }, default: [1, 2] },
        { type: { type: 'map', values: 'double' }, default: { a: 1.5 } },
        { type: 'string' },
      ] as { type: Json; default?: unknown }[])
      fields = [...fields, { name: `added${names++}`, ...added }]
    }
    return { ...node, fields }
  }

  return change(schema)
}
