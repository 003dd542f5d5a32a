import type { Serde } from '../serde/serde.ts'
import { type Input, node, out } from '../topology/node.ts'
import { Stream } from '../topology/stream.ts'

/** How the records of a topic are read. */
export interface SourceOptions<K, V> {
  /** Default: the key's bytes as they are, null where there is none. */
  readonly key?: Serde<K>
  readonly value: Serde<V>
}

/**
 * Reads a topic as a stream of records. Two `stream` calls with one topic read it once.
 *
 * A record that cannot be decoded goes to the dead-letter topic (see `run`).
 *
 * @ordering Within a partition, the order of offsets; between the topics of a task, the record with the lowest
 * timestamp at hand goes first.
 * @state None.
 * @nulls A null key or value is dropped and counted, unless its serde is `nullable(…)`.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `StreamsBuilder#stream`.
 *
 * @marble
 * ```ts
 * stream('words', { key: string(), value: json<string>() })
 * ```
 * ```marbles
 * words   | a=x@1 | -=y@2    | b=-@3      | c=z@1
 * dropped |       | null-key | null-value |
 * out     | a=x@1 |          |            | c=z@1
 * ```
 *
 * @example
 * ```ts
 * const lines = stream('lines', { key: string(), value: string() })
 * ```
 */
export function stream<K, V>(topic: string, options: { readonly key: Serde<K>; readonly value: Serde<V> }): Stream<K, V>
export function stream<V>(topic: string, options: { readonly value: Serde<V> }): Stream<Uint8Array | null, V>
export function stream<K, V>(topic: string, options: SourceOptions<K, V>): Stream<K, V> {
  return source('stream', topic, options)
}

/** A node that reads a topic; `inputs` write it, where this topology does. */
export function source<K, V>(
  kind: string,
  topic: string,
  { key, value }: SourceOptions<K, V>,
  inputs: readonly Input[] = [],
): Stream<K, V> {
  const reading = node({
    kind,
    inputs,
    source: { topic, key, value },
    parameters: { topic, key: key?.format ?? 'bytes', value: value.format },
    processor: (context) => {
      const next = context.forward()
      const keepsNullKey = !key || key.nullable === true
      const keepsNullValue = value.nullable === true
      return {
        inputs: [
          (key, value, timestamp) => {
            if (key === null && !keepsNullKey) context.drop('null-key')
            else if (value === null && !keepsNullValue) context.drop('null-value')
            else next(key, value, timestamp)
          },
        ],
      }
    },
  })
  return new Stream(out(reading), { key, value })
}
