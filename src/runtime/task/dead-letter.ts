import { MillraceError } from '../../errors.ts'
import type { RecordBatch } from '../../log/batch/record-batch.ts'
import type { Header, Headers, RecordOrigin } from '../../record.ts'
import { ByteWriter } from '../../serde/bytes.ts'
import type { TopicOutput } from '../../topology/processor.ts'
import type { TaskEnvironment } from './compile.ts'
import type { Outbox } from './outbox.ts'

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
 * names that Kafka Streams gives them (KIP-1034). A letter that is too large for its topic goes without key, value and the
 * headers that it came with: where they are can be read in those that are left.
 */
export function deadLetterWriter(
  out: Outbox,
  topic: string,
  { partitions }: Pick<TaskEnvironment, 'partitions'>,
): (letter: DeadLetter) => void {
  const keyBytes = new ByteWriter()
  const valueBytes = new ByteWriter()
  const put = (writer: ByteWriter, bytes: Uint8Array | null): ByteWriter | null => {
    if (bytes === null) return null
    writer.reset().raw(bytes)
    return writer
  }
  let errors: Headers = []
  let isBare = false
  const to: TopicOutput = out.topic(topic, partitions(topic), ({ partition, timestamp, bytes, most }) => {
    const size = `the letter would have ${bytes} bytes, and ${topic} takes ${most}`
    if (isBare) {
      throw new MillraceError('RECORD_TOO_LARGE', `a dead letter cannot be written: ${size}`, {
        topic,
        partition,
        hint: "raise the topic's max.message.bytes",
      })
    }
    isBare = true
    to.send(partition, null, null, timestamp, [...errors, text('left.out', `key, value and headers: ${size}`)])
  })
  return ({ origin, key, value, timestamp, headers, reason, error }) => {
    errors = [
      text('exception', reason),
      text('message', error.message),
      text('topic', origin.topic),
      text('partition', String(origin.partition)),
      text('offset', String(origin.offset)),
    ]
    isBare = false
    const partition = origin.partition % to.partitions
    to.send(partition, put(keyBytes, key), put(valueBytes, value), timestamp, [...headers, ...errors])
  }
}

/** A record as it came. */
export function bytesOf(batch: RecordBatch, index: number): Pick<DeadLetter, 'key' | 'value' | 'timestamp'> {
  const bytes = (start: number, end: number) => (start < 0 ? null : batch.buffer.subarray(start, end))
  return {
    key: bytes(batch.keyStart[index], batch.keyEnd[index]),
    value: bytes(batch.valueStart[index], batch.valueEnd[index]),
    timestamp: batch.timestamps[index],
  }
}

const text = (name: string, value: string): Header => [`__streams.errors.${name}`, Buffer.from(value)]
