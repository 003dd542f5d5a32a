import { MillraceError } from '../errors.ts'
import type { Aggregate, AggregateRecord, AggregateState, Results } from './aggregate.ts'
import { claiming, isCommutative, isNeutral } from './claims.ts'
import { cloneOf } from './clone.ts'
import { withOwnField } from './field.ts'
import { type AggregateRow, rowOf, rowWriter, withRow } from './row.ts'
import { beginSized, endSized, StateReader, writeSized } from './state-reader.ts'

/** The accumulators of a record of aggregates: one object with the slots s0, s1 …. Opaque. */
export type CombinedState = Record<string, unknown>

/** The values that every aggregate of a record takes. */
// biome-ignore lint/suspicious/noExplicitAny: matches every aggregate
type ValueOf<S> = S[keyof S] extends Aggregate<infer V, any, any> ? V : never

/**
 * Several aggregates of the same values as one, whose result is an object with their results, in the order given.
 * `aggregate('name', { … })` does this by itself; use it to nest.
 *
 * It can merge (sessions) and remove (tables) if all of them can. All functions that read fields are called before
 * anything is added: one that throws leaves the accumulators as they were. State: each accumulator in order, preceded by
 * its length where that is not fixed. Throws `INVALID_OPTION` for an empty record.
 *
 * @example
 * ```ts
 * combine({ orders: count(), revenue: sum((order: Order) => order.amount) })
 * ```
 */
export function combine<V, S extends AggregateRecord<V>>(
  fields: S & AggregateRecord<V>,
): Aggregate<V, CombinedState, Results<S>>
export function combine<S extends AggregateRecord<never>>(fields: S): Aggregate<ValueOf<S>, CombinedState, Results<S>>
export function combine(fields: AggregateRecord<unknown>): Aggregate<unknown, CombinedState, unknown> {
  const names = Object.keys(fields)
  const parts = names.map((name) => withOwnField(fields[name]))
  if (parts.length === 0) {
    throw new MillraceError('INVALID_OPTION', 'an aggregation of nothing', { hint: 'name at least one aggregate' })
  }
  const kind = `{ ${names.map((name, i) => `${name}: ${parts[i].kind}`).join(', ')} }`
  const made = Object.freeze(claiming({ kind, ...compile(names, parts), state: combinedState(kind, parts) }))
  return withRow(made, compileRow(names, parts))
}

type Compiled = Omit<Aggregate<unknown, CombinedState, unknown>, 'kind' | 'state'>

/**
 * Generates the functions, so that every aggregate has call sites of its own, which V8 can inline, and accumulators and
 * results are objects of one shape. A loop over an array of aggregates takes about twice as long.
 */
function compile(names: readonly string[], parts: readonly Aggregate<unknown, unknown, unknown>[]): Compiled {
  const all = parts.map((_, i) => i)
  const read = all.filter((i) => parts[i].field)
  const whole = all.filter((i) => !parts[i].field)
  const lines = (of: readonly number[], line: (i: number) => string) => of.map(line).join('\n')
  // What has no separate read goes first: it is the user's own, and may throw.
  const change = (whole_: 'add' | 'remove', step: 'put' | 'take') => `(all, value, timestamp) => {
    ${lines(read, (i) => `const v${i} = read${i}(value)`)}
    ${lines(whole, (i) => `all.s${i} = ${whole_}${i}(all.s${i}, value, timestamp)`)}
    ${lines(read, (i) => `if (v${i} !== null) all.s${i} = ${step}${i}(all.s${i}, v${i}, timestamp)`)}
    return all
  }`
  const object = (field: (i: number) => string) => `({ ${all.map(field).join(', ')} })`
  const source = `
    ${lines(all, (i) => `const { init: init${i}, add: add${i}, merge: merge${i}, remove: remove${i}, result: result${i} } = parts[${i}]`)}
    ${lines(all, (i) => `const clone${i} = clones[${i}]`)}
    ${lines(read, (i) => `const { read: read${i}, put: put${i}, take: take${i} } = parts[${i}].field`)}
    return {
      init: () => ${object((i) => `s${i}: init${i}()`)},
      add: ${change('add', 'put')},
      ${parts.every((part) => part.merge) ? `merge: (a, b) => { ${lines(all, (i) => `a.s${i} = merge${i}(a.s${i}, b.s${i})`)}; return a },` : ''}
      neutral: ${parts.every(isNeutral)},
      commutative: ${parts.every(isCommutative)},
      ${parts.every((part) => part.remove) ? `remove: ${change('remove', 'take')},` : ''}
      result: (all) => ${object((i) => `[${JSON.stringify(names[i])}]: result${i}(all.s${i})`)},
      clone: (all) => ${object((i) => `s${i}: clone${i}(all.s${i})`)},
    }`
  return new Function('parts', 'clones', source)(parts, parts.map(cloneOf))
}

/** The rows of all parts side by side, if each has one; generated as the rest is. */
function compileRow(
  names: readonly string[],
  parts: readonly Aggregate<unknown, unknown, unknown>[],
): AggregateRow<CombinedState> | undefined {
  const rows = parts.flatMap((part) => rowOf(part) ?? [])
  if (rows.length < parts.length) return undefined
  const all = parts.map((_, i) => i)
  const lines = (line: (i: number) => string, of = all) => of.map(line).join('\n')
  let width = 0
  const at = rows.map((row) => {
    const from = `at + ${width}`
    width += row.width
    return from
  })
  const read = all.filter((i) => parts[i].field)
  const whole = all.filter((i) => !parts[i].field)
  const source = `
    ${lines((i) => `const { put: put${i}, result: result${i}, load: load${i}, save: save${i} } = rows[${i}]`)}
    ${lines((i) => `const write${i} = writes[${i}]`)}
    ${lines((i) => `const read${i} = parts[${i}].field.read`, read)}
    return {
      width: ${width},
      put(row, at, value, timestamp) {
        ${lines((i) => `const v${i} = read${i}(value)`, read)}
        ${lines((i) => `put${i}(row, ${at[i]}, value, timestamp)`, whole)}
        ${lines((i) => `if (v${i} !== null) put${i}(row, ${at[i]}, v${i}, timestamp)`, read)}
      },
      result: (row, at) => ({ ${all.map((i) => `[${JSON.stringify(names[i])}]: result${i}(row, ${at[i]})`).join(', ')} }),
      load: (row, at) => ({ ${all.map((i) => `s${i}: load${i}(row, ${at[i]})`).join(', ')} }),
      save(row, at, all) {
        ${lines((i) => `save${i}(row, ${at[i]}, all.s${i})`)}
      },
      write(row, at, out) {
        ${lines((i) =>
          parts[i].state.size === undefined
            ? `{ const from = begin(out); write${i}(row, ${at[i]}, out); end(out, from) }`
            : `write${i}(row, ${at[i]}, out)`,
        )}
      },
    }`
  return new Function('parts', 'rows', 'writes', 'begin', 'end', source)(
    parts,
    rows,
    parts.map(({ state }, i) => rowWriter(rows[i], state)),
    beginSized,
    endSized,
  )
}

function combinedState(
  kind: string,
  parts: readonly Aggregate<unknown, unknown, unknown>[],
): AggregateState<CombinedState> {
  const states = parts.map(({ state }, i) => ({ ...state, slot: `s${i}` }))
  const sizes = states.map(({ size }) => size ?? Number.NaN)
  const size = sizes.reduce((sum, size) => sum + size, 0)
  return {
    ...(Number.isNaN(size) ? {} : { size }),
    encode(all, out) {
      for (const state of states) {
        if (state.size === undefined) writeSized(out, () => state.encode(all[state.slot], out))
        else state.encode(all[state.slot], out)
      }
    },
    decode(source, start, end) {
      const reader = new StateReader(kind, source, start, end)
      const all: CombinedState = {}
      for (const state of states) {
        const length = state.size ?? reader.varint()
        const at = reader.advance(length)
        all[state.slot] = state.decode(source, at, at + length)
      }
      reader.finish()
      return all
    },
  }
}
