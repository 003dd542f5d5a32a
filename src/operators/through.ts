import type { Serde } from '../serde/serde.ts'
import { out } from '../topology/node.ts'
import type { Stream } from '../topology/stream.ts'
import { source } from './stream.ts'
import { to } from './to.ts'
import type { Partitioner } from './write-to.ts'

export interface ThroughOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Default: Kafka's own. */
  readonly partitioner?: Partitioner<NonNullable<K>, V | null>
}

/**
 * Writes a stream to a topic of yours and goes on with what is read from it: `to`, then `stream`, in one. What else is
 * in the topic is read, too. For an internal topic that is made and trimmed for you, use `repartition`.
 *
 * The topic must exist (see `run`). What follows is a subtopology of its own, and sees records once they are committed.
 *
 * @ordering Per key.
 * @state None: the topic, which is yours.
 * @nulls Key and value are as they come back from their serdes; a null one is dropped and counted, unless its serde is
 * `nullable(…)`.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#through`, until 3.0; now `to` and `StreamsBuilder#stream`.
 *
 * @marble
 * ```ts
 * words.pipe(through('passed', { key: string(), value: json<string>() }))
 * ```
 * ```marbles
 * words | a=x@1 | b=y@2
 * out   | a=x@1 | b=y@2
 * ```
 *
 * @example
 * ```ts
 * const kept = cleaned.pipe(through('cleaned', { key: string(), value: json<Payment>() }))
 * ```
 */
export function through<K, V>(
  topic: string,
  options: NoInfer<ThroughOptions<K, V>>,
): (stream: Stream<K, V>) => Stream<K, V> {
  return (stream) => {
    const written = to<K, V>(topic, options)(stream)
    return source('through', topic, options, [out(written.node)])
  }
}
