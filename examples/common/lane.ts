import type { Log, SchemaRegistry, Serde } from 'millrace'
import { BatchWriter, ByteWriter, partitionFor } from 'millrace/testing'

const BATCH_BYTES = 256 * 1024
/** An id that no registry gives: what a producer with the wrong registry would write. */
const UNKNOWN_SCHEMA = 0x7ffffff0

/** One topic that is written: records to their partitions, those that are there already left out. */
export interface Lane<T> {
  /** @param i - number of the record: gives the partition where there is no key. */
  write(i: number, key: string | null, timestamp: number, value: T | null, spoil?: (bytes: Buffer) => void): void
  flush(): void
}

export interface LaneOptions {
  readonly log: Log
  readonly registry: SchemaRegistry
  readonly partitions: number
  send(topic: string, partition: number, bytes: Buffer): void
}

/** The topic must be there, and hold nothing but the first records of what is going to be written. */
export async function lane<T>(topic: string, serde: Serde<T>, on: LaneOptions): Promise<Lane<T>> {
  const codec = serde.open({ topic, part: 'value', registry: on.registry })
  await codec.prepare?.()
  const partitions = Array.from({ length: on.partitions }, (_, partition) => ({ topic, partition }))
  const there = new Array<number>(on.partitions).fill(0)
  for (const { partition, offset } of await on.log.admin.endOffsets(partitions)) there[partition] = offset
  const placed = there.map(() => 0)
  const writers = partitions.map(() => new BatchWriter(BATCH_BYTES))
  const bytes = new ByteWriter()
  return {
    write(i, keyText, timestamp, value, spoil) {
      const key = keyText === null ? null : Buffer.from(keyText)
      const partition = key === null ? i % on.partitions : partitionFor(key, on.partitions)
      if (placed[partition]++ < there[partition]) return
      const writer = writers[partition]
      if (value === null) writer.append(timestamp, key, null)
      else {
        codec.encode(value, bytes.reset())
        const encoded = Buffer.from(bytes.bytes())
        spoil?.(encoded)
        writer.append(timestamp, key, encoded)
      }
      if (writer.size >= BATCH_BYTES) on.send(topic, partition, writer.finish())
    },
    flush() {
      for (const [partition, writer] of writers.entries()) {
        if (writer.count > 0) on.send(topic, partition, writer.finish())
      }
    },
  }
}

/** How a broken producer spoils a record in the Confluent wire format. */
export const spoilers = {
  'bad-magic': (value: Buffer) => void (value[0] = 0x42),
  'unknown-schema': (value: Buffer) => void value.writeInt32BE(UNKNOWN_SCHEMA, 1),
} as const
