import type { TopicPartition } from '../../log.ts'
import type { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** Partitions in the form of most requests: by topic, in the order in which the topics first occur. */
export function byTopic<P extends TopicPartition>(partitions: readonly P[]): [topic: string, partitions: P[]][] {
  const topics = new Map<string, P[]>()
  for (const item of partitions) {
    const list = topics.get(item.topic)
    if (list) list.push(item)
    else topics.set(item.topic, [item])
  }
  return [...topics]
}

/** Writes `[topic, [partition …]]`, the non-flexible form. */
export function writeByTopic<P extends TopicPartition>(
  writer: WireWriter,
  partitions: readonly P[],
  write: (writer: WireWriter, item: P) => void,
): WireWriter {
  return writer.array(byTopic(partitions), (w, [topic, items]) => w.string(topic).array(items, write))
}

/** Reads `[topic, [partition …]]`, the non-flexible form, into one list. */
export function readByTopic<T>(reader: WireReader, read: (reader: WireReader, topic: string) => T): T[] {
  return reader
    .array((r) => {
      const topic = r.string()
      return r.array(() => read(r, topic))
    })
    .flat()
}

/** What most answers say of a partition. */
export interface PartitionResult extends TopicPartition {
  readonly error: number
}
