import type { Aggregate } from './aggregate.ts'
import { fieldAggregate, type Primitive, readPrimitive } from './field.ts'
import { keep } from './keep.ts'
import { type LimitOptions, limitOf } from './limit.ts'
import { readPlain, writePlain } from './plain-state.ts'
import { StateReader } from './state-reader.ts'

/**
 * The different values of a field, exactly, in the order in which they first arrived. Null and undefined are left out.
 *
 * The whole set is written to the changelog at each commit in which it changed: give a limit where there may be many, or
 * count them with `approximateDistinct`. Cannot be removed from: not for tables. Throws `INVALID_OPTION` for a limit
 * below 1, `OPERATOR_FAILED` for what is not a string, number, bigint or boolean.
 */
export function distinct<V, T extends Primitive | null | undefined>(
  of: (value: V) => T,
  options: LimitOptions = {},
): Aggregate<V, Set<NonNullable<T>>, NonNullable<T>[]> {
  type Values = Set<NonNullable<T>>
  const { limit, kind } = limitOf('distinct', options)
  return fieldAggregate({
    kind,
    read: readPrimitive(kind, of),
    init: (): Values => new Set(),
    put(values: Values, value: NonNullable<T>) {
      if (values.size < limit && !values.has(value)) values.add(keep(value))
      return values
    },
    merge(a: Values, b: Values) {
      for (const value of b) if (a.size < limit) a.add(value)
      return a
    },
    result: (values) => [...values],
    clone: (values) => new Set(values),
    state: {
      encode(values, out) {
        for (const value of values) writePlain(out, value, kind)
      },
      decode(source, start, end) {
        const reader = new StateReader(kind, source, start, end)
        const values: Values = new Set()
        while (!reader.atEnd) values.add(readPlain(reader) as NonNullable<T>)
        return values
      },
    },
  })
}
