import { isDeepStrictEqual } from 'node:util'
import type { Aggregate } from './aggregate.ts'
import { fieldAggregate, readField } from './field.ts'
import { keep } from './keep.ts'
import { type LimitOptions, limitOf } from './limit.ts'
import { readPlain, writePlain } from './plain-state.ts'
import { StateReader } from './state-reader.ts'

/**
 * All values, or a field of each, in order of arrival. Null and undefined are left out.
 *
 * The whole array is written to the changelog at each commit in which it changed: give a limit where there may be many.
 * Without a limit it can be removed from: the last equal value goes. State: values that must be plain data (see
 * `custom`). Throws `INVALID_OPTION` for a limit below 1.
 */
export function collect<V>(of?: undefined, options?: LimitOptions): Aggregate<V, NonNullable<V>[], NonNullable<V>[]>
export function collect<V, T>(
  of: (value: V) => T,
  options?: LimitOptions,
): Aggregate<V, NonNullable<T>[], NonNullable<T>[]>
export function collect<V>(
  of: (value: V) => unknown = (value) => value,
  options: LimitOptions = {},
): Aggregate<V, object[], object[]> {
  const { limit, kind } = limitOf('collect', options)
  const take = (items: object[], value: object) => {
    const kept = keep(value)
    const at = items.findLastIndex((item) => isDeepStrictEqual(item, kept))
    if (at >= 0) items.splice(at, 1)
    return items
  }
  return fieldAggregate({
    kind,
    read: readField(of) as (value: V) => object | null,
    init: (): object[] => [],
    put(items: object[], value: object) {
      if (items.length < limit) items.push(keep(value))
      return items
    },
    ...(limit === Number.POSITIVE_INFINITY && { take }),
    merge(a: object[], b: object[]) {
      for (let i = 0; i < b.length && a.length < limit; i++) a.push(b[i])
      return a
    },
    result: (items) => items.slice(),
    clone: (items) => items.slice(),
    state: {
      encode(items, out) {
        for (const item of items) writePlain(out, item, kind)
      },
      decode(source, start, end) {
        const reader = new StateReader(kind, source, start, end)
        const items: object[] = []
        while (!reader.atEnd) items.push(readPlain(reader) as object)
        return items
      },
    },
  })
}
