import { shown, undecodable, unencodable } from './faults.ts'
import type { Serde } from './serde.ts'

/** One byte, 0 or 1: Kafka's BooleanSerializer. */
export function boolean(): Serde<boolean> {
  return {
    format: 'boolean',
    anyTopic: true,
    open: (context) => ({
      encode(value, out) {
        if (typeof value !== 'boolean') throw unencodable(context, `expected a boolean, got ${shown(value)}`)
        out.uint8(value ? 1 : 0)
      },
      decode({ buffer }, start, end) {
        if (end - start !== 1) throw undecodable(context, `boolean takes 1 byte, got ${end - start}`)
        if (buffer[start] > 1) throw undecodable(context, `boolean is 0 or 1, got ${buffer[start]}`)
        return buffer[start] === 1
      },
    }),
  }
}
