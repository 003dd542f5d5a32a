import { type Log, PendingSchema, type RecordPart, type SchemaRegistry, type Serde } from 'millrace'
import { byteSource } from 'millrace/testing'
import { readTopic } from './read-topic.ts'

/** A record that came out, as the topology driver shows it, too. */
export interface Out<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
}

/** Everything in a topic, as keys and values; null where there is none. */
export async function readRecords<K, V>(
  log: Log,
  registry: SchemaRegistry,
  topic: string,
  serdes: { readonly key: Serde<K>; readonly value: Serde<V> },
): Promise<Out<K, V>[]> {
  const key = decoder(serdes.key, { topic, part: 'key', registry })
  const value = decoder(serdes.value, { topic, part: 'value', registry })
  const records: Out<K, V>[] = []
  for await (const raw of readTopic(log, topic)) {
    records.push({ key: await key(raw.key), value: await value(raw.value), timestamp: raw.timestamp })
  }
  return records
}

function decoder<T>(serde: Serde<T>, context: { topic: string; part: RecordPart; registry: SchemaRegistry }) {
  const codec = serde.open(context)
  return async (bytes: Buffer | null): Promise<T> => {
    if (bytes === null) return null as T
    const source = byteSource(bytes)
    for (;;) {
      try {
        return codec.decode(source, 0, bytes.length)
      } catch (error) {
        if (!(error instanceof PendingSchema)) throw error
        await error.load()
      }
    }
  }
}
