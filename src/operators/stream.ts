import { checkWhole } from '../options.ts'
import type { Serde } from '../serde/serde.ts'
import { type Input, node, out } from '../topology/node.ts'
import { Stream } from '../topology/stream.ts'

/** How the records of a topic are read. */
export interface SourceOptions<K, V> {
  /** Default: the key's bytes as they are, null where there is none. */
  readonly key?: Serde<K>
  readonly value: Serde<V>
  /**
   * When a partition has had no record for so long, in ms of wall-clock time, its stream time goes on at the pace of the
   * clock, so that windows close. Default: time waits for records, as in Kafka Streams. See `stream`.
   */
  readonly idleAfter?: number
}

type KeyedSourceOptions<K, V> = SourceOptions<K, V> & { readonly key: Serde<K> }

/**
 * Reads a topic as a stream of records. Two `stream` calls with one topic read it once.
 *
 * A record that cannot be decoded goes to the dead-letter topic (see `run`).
 *
 * With `idleAfter`, a partition that is read to its end and stays empty for so long no longer holds time back: its stream
 * time, and that of what is behind it, goes on from where it stood by the wall clock (where it never had a record, from
 * when reading began), until records come again; those that are older than that are late. A task with several topics is
 * idle when all are, each by its own `idleAfter`. What comes of it is committed, and goes through repartition topics as a
 * marker, so a replay does not depend on the clock; an append sink in the same task behind something that waits for
 * time is refused (write to a topic first). Throws `INVALID_OPTION` for an `idleAfter` below 1.
 *
 * @ordering Within a partition, the order of offsets; between the topics of a task, the record with the lowest
 * timestamp at hand goes first.
 * @state None.
 * @nulls A null key or value is dropped and counted, unless its serde is `nullable(…)`.
 * @late Time plays no part: nothing is late (but see `idleAfter`).
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
export function stream<K, V>(topic: string, options: KeyedSourceOptions<K, V>): Stream<K, V>
export function stream<V>(topic: string, options: Omit<SourceOptions<never, V>, 'key'>): Stream<Uint8Array | null, V>
export function stream<K, V>(topic: string, options: SourceOptions<K, V>): Stream<K, V> {
  return source('stream', topic, options)
}

/** A node that reads a topic; `inputs` write it, where this topology does. */
export function source<K, V>(
  kind: string,
  topic: string,
  { key, value, idleAfter }: SourceOptions<K, V>,
  inputs: readonly Input[] = [],
): Stream<K, V> {
  if (idleAfter !== undefined) checkWhole(`${kind} '${topic}'`, 'idleAfter', idleAfter, 1)
  const reading = node({
    kind,
    inputs,
    source: { topic, key, value, ...(idleAfter && { idleAfter }) },
    parameters: { topic, key: key?.format ?? 'bytes', value: value.format, ...(idleAfter && { idleAfter }) },
    keepsValues: true,
    processor: (context) => {
      const next = context.forward()
      const keepsNullKey = !key || key.nullable === true
      const keepsNullValue = value.nullable === true
      // The time from which an idle topic goes on; what the task reads is looked at here for no other reason.
      const time = idleAfter === undefined ? undefined : context.streamTime()
      return {
        inputs: [
          (key, value, timestamp) => {
            if (time !== undefined) time.observe(timestamp)
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
