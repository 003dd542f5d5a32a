import { readString } from './bytes.ts'
import { shown, unencodable } from './faults.ts'
import type { Serde } from './serde.ts'

/**
 * Text as UTF-8, without a length: Kafka's StringSerializer. Bytes that are not UTF-8 decode to U+FFFD, as there.
 * Throws `UNENCODABLE_RECORD` for anything but a string.
 *
 * A decoded string is a view of the text of its whole batch: copy it before it is kept for long.
 */
export function string(): Serde<string> {
  return {
    format: 'string',
    anyTopic: true,
    open: (context) => ({
      encode(value, out) {
        if (typeof value !== 'string') throw unencodable(context, `expected a string, got ${shown(value)}`)
        out.string(value)
      },
      decode: readString,
    }),
  }
}
