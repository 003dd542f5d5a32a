import type { Serde } from './serde.ts'

/**
 * Lets null keys or values of a topic through, as null. Without it they are dropped where the topic is read, and
 * counted, so that a stream's type tells the truth. (For tables a null value is a deletion, always.)
 *
 * @example
 * ```ts
 * stream('clicks', { key: nullable(string()), value: json<Click>() })   // Stream<string | null, Click>
 * ```
 */
export function nullable<T>(serde: Serde<T>): Serde<T | null> {
  return { ...(serde as Serde<T | null>), nullable: true }
}
