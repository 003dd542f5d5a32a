import { MillraceError } from '../errors.ts'
import { shown } from '../serde/faults.ts'
import type { Aggregate, AggregateField } from './aggregate.ts'
import { claiming } from './claims.ts'
import { type AggregateRow, withRow } from './row.ts'

/** A user's function that reads a number to aggregate. */
export type NumberOf<in V> = (value: V) => number | null | undefined

/** null where a field may be null or undefined: the result when it was nothing else. */
export type OrNull<T> = T extends null | undefined ? null : never

/** What comes out where one value of a field does: null if it may be null, and was nothing else. */
export type Found<T> = NonNullable<T> | OrNull<T>

/** What can be put in order by `<`: strings by their UTF-16 code units. */
export type Comparable = number | string | bigint

/** What can be told apart by its value. */
export type Primitive = number | string | bigint | boolean

/** What makes an aggregate of a field: how it is read, put into the accumulator, and perhaps taken out again. */
export type FieldAggregate<V, F, A, R> = Omit<Aggregate<V, A, R>, 'add' | 'remove' | 'field'> & {
  read(value: V): F | null
  put(accumulator: A, field: F, timestamp: number): A
  take?(accumulator: A, field: F, timestamp: number): A
}

/**
 * An aggregate that adds what it reads from a value.
 *
 * @param row - how the accumulator is kept where it is nothing but numbers
 */
export function fieldAggregate<V, F, A, R>(
  parts: FieldAggregate<V, F, A, R>,
  row?: AggregateRow<A, R>,
): Aggregate<V, A, R> {
  const { read, put, take, ...aggregate } = parts
  const field: AggregateField<V, A> = take ? { read, put, take } : { read, put }
  const made: Aggregate<V, A, R> = Object.freeze(
    claiming({
      neutral: true,
      ...aggregate,
      field,
      add(accumulator: A, value: V, timestamp: number): A {
        const found = read(value)
        return found === null ? accumulator : put(accumulator, found, timestamp)
      },
      ...(take && {
        remove(accumulator: A, value: V, timestamp: number): A {
          const found = read(value)
          return found === null ? accumulator : take(accumulator, found, timestamp)
        },
      }),
    }),
  )
  addedBy.set(field, made)
  return withRow(made, row)
}

/** The aggregate that a field was made with. */
const addedBy = new WeakMap<object, Pick<Aggregate<never, unknown, unknown>, 'add' | 'remove'>>()

/** The aggregate, without the field that a spread built-in one brought along for another `add` or `remove` than the user's. */
export function withOwnField<V, A, R>(aggregate: Aggregate<V, A, R>): Aggregate<V, A, R> {
  const { field, add, remove } = aggregate
  const made = field && addedBy.get(field)
  if (!made || (made.add === add && made.remove === remove)) return aggregate
  return { ...aggregate, field: undefined }
}

/** Reads a field that may be anything; null and undefined are nothing, and so is a null value. */
export function readField<V, F>(of: (value: V) => F): (value: V) => NonNullable<F> | null {
  return (value) => (value === null || value === undefined ? null : (of(value) ?? null))
}

/** Reads a number. Throws `OPERATOR_FAILED` for anything else, since '1' + 1 would go unnoticed. */
export function readNumber<V>(kind: string, of: NumberOf<V>): (value: V) => number | null {
  return (value) => {
    if (value === null || value === undefined) return null
    const found = of(value)
    if (typeof found === 'number') return found
    if (found === null || found === undefined) return null
    throw new MillraceError('OPERATOR_FAILED', `${kind}: its function returned ${shown(found)}`, {
      hint: 'return a number, or null for nothing to add',
    })
  }
}

/** Reads what can be told apart by its value. Throws `OPERATOR_FAILED` for an object: no two of them are the same. */
export function readPrimitive<V, T>(kind: string, of: (value: V) => T): (value: V) => NonNullable<T> | null {
  return (value) => {
    if (value === null || value === undefined) return null
    const found = of(value)
    if (found === null || found === undefined) return null
    if (typeof found !== 'object' && typeof found !== 'function' && typeof found !== 'symbol') return found
    throw new MillraceError('OPERATOR_FAILED', `${kind}: its function returned ${shown(found)}`, {
      hint: 'return a string, number, bigint or boolean, or null for nothing to add; for a date, its getTime()',
    })
  }
}
