import type { WriteSerde } from '../serde/serde.ts'
import type { SinkDefinition } from '../sinks/sink.ts'
import { type AnySerde, node } from '../topology/node.ts'
import type { Stream } from '../topology/stream.ts'
import { Output } from '../topology/topology.ts'
import { type Partitioner, writeTo } from './write-to.ts'

export interface ToOptions<in K, in V> {
  readonly key: WriteSerde<NonNullable<K>>
  readonly value: WriteSerde<NonNullable<V>>
  /** Default: Kafka's own (murmur2 of the key's bytes; of the inner key where it is windowed). */
  readonly partitioner?: Partitioner<NonNullable<K>, V | null>
}

/**
 * Ends a stream in a topic or in a sink; put the result into `topology(name, [ … ])`.
 *
 * A topic must exist (see `run` for creating it). Part of the commit: with `exactly-once` a record is there once.
 *
 * @ordering Records of one key keep their order.
 * @state None.
 * @nulls A null value is written as a tombstone, deletes the row of an upsert sink, and is skipped by an append sink.
 * A record without a key goes to the partition with the number of the one it came from.
 * @late Time plays no part: nothing is late.
 * @kafkaStreams `KStream#to`.
 *
 * @marble
 * ```ts
 * words.pipe(to('out', { key: string(), value: json() }))
 * ```
 * ```marbles
 * words | a=x@1 | b=y@2
 * out   | a=x@1 | b=y@2
 * ```
 *
 * @example
 * ```ts
 * alerts.pipe(to('alerts', { key: string(), value: json() }))
 * ```
 */
export function to<K, V>(topic: string, options: NoInfer<ToOptions<K, V>>): (stream: Stream<K, V>) => Output
export function to<K, V>(sink: NoInfer<SinkDefinition<K, NonNullable<V>>>): (stream: Stream<K, V>) => Output
export function to<K, V>(
  target: string | SinkDefinition<K, NonNullable<V>>,
  options?: ToOptions<K, V>,
): (stream: Stream<K, V>) => Output {
  return (stream) => (typeof target === 'string' ? toTopic(stream, target, options!) : toSink(stream, target))
}

function toTopic<K, V>({ input }: Stream<K, V>, topic: string, { key, value, partitioner }: ToOptions<K, V>): Output {
  return new Output(
    node({
      kind: 'to',
      inputs: [input],
      parameters: { topic, key: key.format, value: value.format },
      target: { topic, key: key as AnySerde, value: value as AnySerde },
      processor: (context) => ({ inputs: [writeTo(context, topic, { key, value }, partitioner)] }),
    }),
  )
}

function toSink<K, V>({ input, serdes }: Stream<K, V>, sink: SinkDefinition<K, NonNullable<V>>): Output {
  return new Output(
    node({
      kind: 'to',
      inputs: [input],
      parameters: { sink: sink.kind, mode: sink.mode, ...sink.parameters },
      sink,
      processor: (context) => ({ inputs: [context.sink(sink, serdes)] }),
    }),
  )
}
