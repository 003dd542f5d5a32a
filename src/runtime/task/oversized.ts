import { MillraceError } from '../../errors.ts'
import type { ByteWriter } from '../../serde/bytes.ts'
import { bytesOf } from './dead-letter.ts'
import type { SetAside } from './set-aside.ts'
import type { OversizedRecord } from './target.ts'
import type { WorkingRecord } from './working-record.ts'

/**
 * A result that its topic does not take is refused, as a sink refuses a row. What is set aside is the record that it was
 * made of, where that is known; for what comes of time or of a commit it is the result itself.
 */
export function refuseOversized(record: WorkingRecord, setAside: SetAside): (oversized: OversizedRecord) => void {
  return ({ topic: target, partition, key, value, timestamp, bytes, most }) => {
    const { source, headers, topic, offset } = record.keep()
    const error = new MillraceError(
      'RECORD_TOO_LARGE',
      `a record of ${bytes} bytes for ${target}, which takes ${most}`,
      {
        topic: target,
        partition,
        hint: "raise the topic's max.message.bytes, write less, or set errors: { refused: 'dead-letter' } or 'skip'",
      },
    )
    const input = source && bytesOf(source.batch, source.index)
    const found = input?.key || input?.value ? input : { key: copyOf(key), value: copyOf(value), timestamp }
    setAside('refused', error, { ...found, origin: { topic, partition: record.partition, offset }, headers })
  }
}

/** What the state needs is never left out: without it a restart would begin with another state. */
export function tooMuchState({ topic, partition, bytes, most }: OversizedRecord): never {
  throw new MillraceError('RECORD_TOO_LARGE', `a state of ${bytes} bytes under one key, and ${topic} takes ${most}`, {
    topic,
    partition,
    hint: "raise the changelog's max.message.bytes, or keep less under one key",
  })
}

const copyOf = (bytes: ByteWriter | null) => bytes && Buffer.from(bytes.bytes())
