import { reachable } from './graph.ts'
import { isNanos, logicalMismatch } from './logical.ts'
import {
  type AvroType,
  type Enumeration,
  type LogicalType,
  type PrimitiveName,
  type RecordType,
  shortName,
  shownType,
  typeName,
  type Union,
} from './types.ts'

/**
 * How data written with one schema becomes a value of another, by the rules of the specification ("Schema Resolution"):
 * a graph that follows the writer's schema, since that is the order of the bytes. What does not fit is a `fail` at its
 * place: it is an error only when data gets there, so that `[null, int]` can be read as `int` as long as no null comes.
 */
export type Plan =
  | { readonly op: 'null' | 'boolean' | 'float' | 'double' | 'string' | 'bytes' }
  /** `lossy`: becomes a float or double, where a long beyond 2^53 is rounded and not refused. */
  | { readonly op: 'int' | 'long'; readonly as: 'number' | 'bigint' | 'lossy' }
  | { readonly op: 'fixed'; readonly size: number }
  | { readonly op: 'uuid' }
  /** `size` is that of a fixed; without it the bytes bring their length. */
  | { readonly op: 'decimal'; readonly scale: number; readonly size?: number }
  /** By the writer's index: the reader's symbol, or undefined where it has none (and no default). */
  | { readonly op: 'enum'; readonly symbols: readonly (string | undefined)[]; readonly reason: string }
  | { readonly op: 'array'; readonly items: Plan; readonly writer: AvroType }
  | { readonly op: 'map'; readonly values: Plan }
  /** By the writer's index. */
  | { readonly op: 'union'; readonly branches: readonly Plan[] }
  | { readonly op: 'wrap'; readonly branch: string; readonly inner: Plan }
  | RecordPlan
  | { readonly op: 'fail'; readonly reason: string }

export interface RecordPlan {
  readonly op: 'record'
  readonly reader: RecordType
  /** In the writer's order: the value of field `field` of the reader, or bytes to pass over. */
  readonly steps: (
    | { readonly name: string; readonly field: number; readonly plan: Plan }
    | { readonly name: string; readonly skip: AvroType }
  )[]
  /** Fields of the reader that take their default, by index. */
  readonly defaults: number[]
}

export function resolve(writer: AvroType, reader: AvroType, bigint = false): Plan {
  const records = new Map<AvroType, Map<AvroType, Plan>>()

  function plan(w: AvroType, r: AvroType, path: string): Plan {
    if (w.kind === 'union') return { op: 'union', branches: w.branches.map((branch) => plan(branch, r, path)) }
    if (r.kind === 'union') return intoUnion(w, r, path)
    if (match(w, r) === undefined) return fail(path, `cannot read ${shownType(w)} as ${shownType(r)}`, nameHint(w, r))
    if (logicalMismatch(logicalOf(w), logicalOf(r)) || (w.kind !== r.kind && (isDecimal(w) || isDecimal(r)))) {
      return fail(path, `cannot read ${shownType(w)} as ${shownType(r)}`)
    }
    switch (r.kind) {
      case 'int':
        return { op: 'int', as: 'number' }
      case 'long':
        return { op: w.kind as 'int' | 'long', as: bigint || isNanos(r.logical) ? 'bigint' : 'number' }
      case 'float':
      case 'double':
        return w.kind === 'int' || w.kind === 'long'
          ? { op: w.kind, as: 'lossy' }
          : { op: w.kind as 'float' | 'double' }
      case 'bytes':
        return r.logical ? { op: 'decimal', scale: r.logical.scale ?? 0 } : { op: 'bytes' }
      case 'fixed':
        if (r.logical?.name === 'uuid') return { op: 'uuid' }
        if (r.logical?.name === 'decimal') return { op: 'decimal', scale: r.logical.scale ?? 0, size: r.size }
        return { op: 'fixed', size: r.size }
      case 'enum':
        return enumeration(w as Enumeration, r, path)
      case 'array': {
        const { items } = w as typeof r
        return { op: 'array', items: plan(items, r.items, `${path}[]`), writer: items }
      }
      case 'map':
        return { op: 'map', values: plan((w as typeof r).values, r.values, `${path}{}`) }
      case 'record':
        return record(w as RecordType, r, path)
      default:
        return { op: r.kind }
    }
  }

  function intoUnion(w: Exclude<AvroType, Union>, r: Union, path: string): Plan {
    // The branch of the very type first, then of the short name or an alias, then one that it can be promoted to.
    let best: AvroType | undefined
    let rank = Infinity
    for (const branch of r.branches) {
      const its = match(w, branch as Exclude<AvroType, Union>)
      if (its !== undefined && its < rank) {
        best = branch
        rank = its
      }
    }
    if (!best) return fail(path, `cannot read ${shownType(w)} as any of ${shownType(r)}`)
    const inner = plan(w, best, path)
    return r.wrapped && best.kind !== 'null' ? { op: 'wrap', branch: typeName(best), inner } : inner
  }

  function enumeration(w: Enumeration, r: Enumeration, path: string): Plan {
    const symbols = w.symbols.map((symbol) => (r.symbols.includes(symbol) ? symbol : r.default))
    const missing = w.symbols.filter((_, index) => symbols[index] === undefined)
    const reason = `${at(path)}${r.name} has no symbol ${missing.join(', ')} and no default`
    return { op: 'enum', symbols, reason: missing.length ? reason : `${at(path)}no such symbol in ${w.name}` }
  }

  function record(w: RecordType, r: RecordType, path: string): Plan {
    let planned = records.get(w)
    if (!planned) records.set(w, (planned = new Map()))
    const known = planned.get(r)
    if (known) return known
    const result: RecordPlan = { op: 'record', reader: r, steps: [], defaults: [] }
    planned.set(r, result)

    const taken = fieldsTaken(w, r)
    for (const field of w.fields) {
      const index = taken.indexOf(field.name)
      if (index < 0) result.steps.push({ name: field.name, skip: field.type })
      else {
        const inner = plan(field.type, r.fields[index].type, path === '' ? field.name : `${path}.${field.name}`)
        result.steps.push({ name: field.name, field: index, plan: inner })
      }
    }
    r.fields.forEach((field, index) => {
      if (taken[index] !== undefined) return
      if (field.default) result.defaults.push(index)
      else {
        const missing = fail(path, `field ${field.name} of ${r.name} is not in the writer's schema and has no default`)
        result.steps.push({ name: field.name, field: index, plan: missing })
      }
    })
    return result
  }

  return plan(writer, reader, '')
}

/**
 * For each field of the reader the name of the writer's field that it is read from: by name, else by an alias of the
 * reader's, as Avro has it; else by an alias of the writer's. The last is more than Avro asks: a producer that renames a
 * field and says so is read on by those that know the old name.
 */
export function fieldsTaken(writer: RecordType, reader: RecordType): (string | undefined)[] {
  const there = new Set(writer.fields.map((field) => field.name))
  const taken = reader.fields.map((field) => (there.delete(field.name) ? field.name : undefined))
  reader.fields.forEach((field, index) => {
    taken[index] ??= field.aliases.find((alias) => there.delete(alias))
  })
  reader.fields.forEach((field, index) => {
    if (taken[index] !== undefined) return
    const renamed = writer.fields.find(({ name, aliases }) => there.has(name) && aliases.includes(field.name))
    if (renamed && there.delete(renamed.name)) taken[index] = renamed.name
  })
  return taken
}

const promotions: Partial<Record<PrimitiveName, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
}

/** How well two types match, 0 best, without looking into what they hold; undefined: not at all. */
function match(w: Exclude<AvroType, Union>, r: AvroType): number | undefined {
  if (w.kind !== r.kind) return promotions[w.kind as PrimitiveName]?.includes(r.kind) ? 2 : undefined
  if (!('name' in w) || !('name' in r)) return 0
  if (w.kind === 'fixed' && w.size !== (r as typeof w).size) return undefined
  if (w.name === r.name) return 0
  return shortName(w.name) === shortName(r.name) || r.aliases.includes(w.name) ? 1 : undefined
}

function nameHint(w: AvroType, r: AvroType): string {
  return w.kind === r.kind && 'name' in w && w.name !== typeName(r)
    ? ` (an alias "${w.name}" on ${typeName(r)} makes them the same)`
    : ''
}

function logicalOf(type: AvroType): LogicalType | undefined {
  return 'logical' in type ? type.logical : undefined
}

function isDecimal(type: AvroType): boolean {
  return logicalOf(type)?.name === 'decimal'
}

function fail(path: string, reason: string, hint = ''): Plan {
  return { op: 'fail', reason: `${at(path)}${reason}${hint}` }
}

function at(path: string): string {
  return path === '' ? '' : `${path}: `
}

/** The plans that a plan consists of. */
export function stepsOf(plan: Plan): readonly Plan[] {
  if (plan.op === 'array') return [plan.items]
  if (plan.op === 'map') return [plan.values]
  if (plan.op === 'wrap') return [plan.inner]
  if (plan.op === 'union') return plan.branches
  return plan.op === 'record' ? plan.steps.flatMap((step) => ('plan' in step ? [step.plan] : [])) : []
}

/** Everything that some data of the writer would fail on; empty when the reader can read whatever the writer writes. */
export function incompatibilities(writer: AvroType, reader: AvroType): string[] {
  const found = new Set<string>()
  for (const plan of reachable(resolve(writer, reader), stepsOf)) {
    if (plan.op === 'fail' || (plan.op === 'enum' && plan.symbols.includes(undefined))) found.add(plan.reason)
  }
  return [...found]
}
