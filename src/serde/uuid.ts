import { readString } from './bytes.ts'
import { shown, undecodable, unencodable } from './faults.ts'
import type { Serde } from './serde.ts'

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** UUIDs as their 36 characters of text, in lower case: Kafka's UUIDSerializer. Values are strings. */
export function uuid(): Serde<string> {
  return {
    format: 'uuid',
    anyTopic: true,
    open: (context) => ({
      encode(value, out) {
        if (typeof value !== 'string' || !form.test(value)) {
          throw unencodable(
            context,
            `expected a UUID such as 14f0a09a-7830-4a4d-3b6d-1cafbaa2a28b, got ${shown(value)}`,
          )
        }
        out.string(value.toLowerCase())
      },
      decode(source, start, end) {
        const text = readString(source, start, end)
        if (!form.test(text)) throw undecodable(context, `expected the text of a UUID, got ${shown(text)}`)
        return text.toLowerCase()
      },
    }),
  }
}
