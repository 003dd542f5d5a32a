import { shown } from '../faults.ts'

/** Before the body: a 0 and the schema's id as int32 (Confluent, "Wire format"). */
export const headerLength = 5

/** Why bytes do not begin as they should. */
export function headerFault(buffer: Buffer, start: number, end: number): { reason: string; hint?: string } {
  if (end > start && buffer[start] === 1 && end - start >= 17) {
    const hex = buffer.toString('hex', start + 1, start + 17)
    return {
      reason: `the schema is named by the GUID ${hex}, and not by an id`,
      hint: 'have the producer write schema ids (magic byte 0); GUIDs cannot be looked up',
    }
  }
  if (end > start && buffer[start] !== 0) {
    const found = shown(buffer.latin1Slice(start, Math.min(end, start + 12)))
    return {
      reason: `Avro with a schema id begins with the byte 0, these bytes begin with ${buffer[start]} (${found})`,
      hint: 'is the topic Avro, written with a schema registry?',
    }
  }
  return { reason: `${end - start} bytes are too few for a schema id` }
}
