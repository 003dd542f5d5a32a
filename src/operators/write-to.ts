import { ByteWriter } from '../serde/bytes.ts'
import type { WriteSerde } from '../serde/serde.ts'
import type { Forward, ProcessorContext } from '../topology/processor.ts'

/** Chooses a partition in 0 … partitions - 1. */
export type Partitioner<K, V> = (key: K, value: V, partitions: number) => number

/**
 * Encodes records and writes them to a topic, to the partition that Kafka's default partitioner gives their key.
 * A record without a key stays in the partition number that it came from, which keeps the order of its task.
 */
export function writeTo<K, V>(
  context: ProcessorContext,
  topic: string,
  serdes: { readonly key: WriteSerde<K>; readonly value: WriteSerde<V> },
  partitioner?: Partitioner<K, V | null>,
): Forward<K | null, V | null> {
  const keyCodec = context.codec(serdes.key, 'key', topic)
  const valueCodec = context.codec(serdes.value, 'value', topic)
  const target = context.topic(topic)
  const suffix = serdes.key.keySuffix ?? 0
  const keyBytes = new ByteWriter(64)
  const { asRead } = context
  return (key, value, timestamp) => {
    let partition: number
    if (key === null) partition = context.record.partition % target.partitions
    else {
      keyCodec.encode(key, keyBytes.reset())
      partition = partitioner
        ? partitioner(key, value, target.partitions)
        : target.partitionOf(keyBytes, keyBytes.position - suffix)
    }
    const bytes = key === null ? null : keyBytes
    if (asRead) target.pass(partition, bytes, timestamp)
    else if (value === null) target.send(partition, bytes, null, timestamp)
    else target.encode(partition, bytes, valueCodec, value, timestamp)
  }
}
