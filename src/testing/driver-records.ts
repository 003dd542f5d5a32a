import type { Headers } from '../record.ts'

/** A record that came out of a topology. */
export interface DriverRecord<K = unknown, V = unknown> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly headers: Headers
  readonly partition: number
}

/** A row that came to a sink. */
export interface DriverRow<K = unknown, V = unknown> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly offset: number
}

/** What a store holds for one key, or key and window. */
export interface DriverEntry<K = unknown, A = unknown> {
  readonly key: K
  /** Start of the window; 0 where there are no windows. */
  readonly start: number
  /** The accumulator as the store keeps it. */
  readonly value: A
  readonly timestamp: number
}
