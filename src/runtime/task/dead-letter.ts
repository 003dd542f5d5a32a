import type { Header, Headers, RecordOrigin } from '../../record.ts'
import { ByteWriter } from '../../serde/bytes.ts'
import type { TopicOutput } from '../../topology/processor.ts'

/** A record that could not be processed, as it came, and why. */
export interface DeadLetter {
  readonly origin: RecordOrigin
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number
  readonly headers: Headers
  /** An error code, or the reason given to `RejectedRecord`; the label of its counter. */
  readonly reason: string
  readonly error: Error
}

/**
 * Writes dead letters: key, value, timestamp and headers as they came, and headers that say what happened, under the
 * names that Kafka Streams gives them (KIP-1034).
 */
export function deadLetterWriter(to: TopicOutput): (letter: DeadLetter) => void {
  const keyBytes = new ByteWriter()
  const valueBytes = new ByteWriter()
  const put = (writer: ByteWriter, bytes: Uint8Array | null): ByteWriter | null => {
    if (bytes === null) return null
    writer.reset().raw(bytes)
    return writer
  }
  return ({ origin, key, value, timestamp, headers, reason, error }) => {
    to.send(origin.partition % to.partitions, put(keyBytes, key), put(valueBytes, value), timestamp, [
      ...headers,
      text('exception', reason),
      text('message', error.message),
      text('topic', origin.topic),
      text('partition', String(origin.partition)),
      text('offset', String(origin.offset)),
    ])
  }
}

const text = (name: string, value: string): Header => [`__streams.errors.${name}`, Buffer.from(value)]
