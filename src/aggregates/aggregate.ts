import type { ByteSource, ByteWriter } from '../serde/bytes.ts'

/**
 * How values are brought together: a fresh accumulator, one value added, and what comes out. `V` are the values, `A` is
 * the accumulator, `R` the result. Synchronous, and pure but for the accumulator itself.
 *
 * The built-in ones are `count`, `sum`, `min` … ; `combine` (or a plain record in `aggregate`) puts several side by
 * side, `custom` makes one of your own. All built-in ones but `count` leave out null and undefined: a null value, and a
 * function that returns null, add nothing.
 */
export interface Aggregate<in V, in out A, out R> {
  /** In words, for `describe`: 'count', 'topK(10)' … */
  readonly kind: string
  /** A fresh accumulator. */
  init(): A
  /** Adds one value; may change the accumulator and return it. When it returns null, the entry is deleted. */
  add(accumulator: A, value: V, timestamp: number): A
  /**
   * Of two accumulators, where `a` happened before `b`; may change `a` and return it, leaves `b` as it is and keeps no
   * part of it that can change. Session windows need it.
   */
  merge?(a: A, b: A): A
  /**
   * Merging into a fresh accumulator changes nothing: `merge(init(), b)` is as `b`. Then a session that a record alone
   * extends is added to in place, and costs the same however large it is. All built-in ones are so. It is said of the functions
   * that an aggregate is made with: one that is spread, and gets another `init` or `merge`, is taken as if it had not said it.
   */
  readonly neutral?: boolean
  /**
   * Values may be added and accumulators merged in any order and grouping: it comes to the same, to the last bit, and never
   * to null. Only of equal timestamps the order of arrival must be kept. Such an aggregate merges and is `neutral`. In
   * sliding windows a record is then not added to every window that it lies in: what came since the last commit is merged
   * into each window once. `count`, `sum`, `mean`, `min`, `max`, `first` and `last` are so, and records of them. As `neutral`, of its own
   * functions: `{ ...count(), add: mine }` is not. A `merge` that throws stops the application (`MERGE_FAILED`).
   */
  readonly commutative?: boolean
  /** Takes a value that was added before out again. Aggregations of tables need it. */
  remove?(accumulator: A, value: V, timestamp: number): A
  /** What comes out; shares nothing with the accumulator that can change. */
  result(accumulator: A): R
  /** A copy, so that adding to one leaves the other as it is. Sliding windows need it. Default: `structuredClone`. */
  clone?(accumulator: A): A
  /** The accumulator in the changelog. */
  readonly state: AggregateState<A>
  /** `add` and `remove` in two steps, where a field is read from the value first. */
  readonly field?: AggregateField<V, A>
}

/** The serialised form of an accumulator. */
export interface AggregateState<A> {
  /** Bytes of every accumulator, where they are always the same. */
  readonly size?: number
  encode(accumulator: A, out: ByteWriter): void
  /** Reads bytes [start, end). Throws `UNDECODABLE_RECORD` when they are not an accumulator. */
  decode(source: ByteSource, start: number, end: number): A
}

/**
 * Reading apart from adding: `combine` reads all its fields before it adds the first, so that a user's function that
 * throws leaves the accumulators as they were.
 */
export interface AggregateField<in V, in out A> {
  /** What is to be added, by the user's function; null for nothing. */
  read(value: V): unknown
  // biome-ignore lint/suspicious/noExplicitAny: whatever `read` returned
  put(accumulator: A, read: any, timestamp: number): A
  // biome-ignore lint/suspicious/noExplicitAny: whatever `read` returned
  take?(accumulator: A, read: any, timestamp: number): A
}

/** Aggregates by the name of their result. */
// biome-ignore lint/suspicious/noExplicitAny: accumulators and results differ from field to field
export type AggregateRecord<V> = Readonly<Record<string, Aggregate<V, any, any>>>

/** The results of a record of aggregates. */
// biome-ignore lint/suspicious/noExplicitAny: matches every accumulator
export type Results<S> = { -readonly [Name in keyof S]: S[Name] extends Aggregate<never, any, infer R> ? R : never }
