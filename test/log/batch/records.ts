import fc from 'fast-check'
import { BatchWriter } from '../../../src/log/batch/batch-writer.ts'
import { readBatch } from '../../../src/log/batch/read-batch.ts'
import type { RecordBatch } from '../../../src/log/batch/record-batch.ts'
import type { Header } from '../../../src/record.ts'

export interface PlainRecord {
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

/** Bytes as hex, so that a failure can be read. */
const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'))
const bytes = (text: string | null) => (text === null ? null : Buffer.from(text, 'hex'))

export function write(records: readonly PlainRecord[]): Buffer {
  const writer = new BatchWriter(64)
  for (const { timestamp, key, value, headers } of records)
    writer.append(
      timestamp,
      bytes(key),
      bytes(value),
      headers.map(([name, value]): Header => [name, bytes(value)]),
    )
  return writer.finish()
}

export function read(batch: Buffer, start = 0, end = batch.length): RecordBatch {
  return readBatch(batch, new DataView(batch.buffer, batch.byteOffset, batch.length), start, end)
}

export function plain(batch: RecordBatch): PlainRecord[] {
  return Array.from({ length: batch.count }, (_, i) => ({
    timestamp: batch.timestamps[i],
    key: batch.keyStart[i] < 0 ? null : hex(batch.buffer.subarray(batch.keyStart[i], batch.keyEnd[i])),
    value: batch.valueStart[i] < 0 ? null : hex(batch.buffer.subarray(batch.valueStart[i], batch.valueEnd[i])),
    headers: batch.headers(i).map(([name, value]) => [name, hex(value)] as const),
  }))
}

const content = fc.option(
  fc
    .oneof({ weight: 5, arbitrary: fc.uint8Array({ maxLength: 40 }) }, fc.uint8Array({ minLength: 60, maxLength: 300 }))
    .map((a) => Buffer.from(a).toString('hex')),
)
const name = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constant('a'.repeat(200)),
)
const timestamp = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.integer({ min: 0, max: 2 ** 45 }),
  fc.maxSafeInteger(),
)

const record: fc.Arbitrary<PlainRecord> = fc.record({
  timestamp,
  key: content,
  value: content,
  headers: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    fc.array(fc.tuple(name, content), { maxLength: 4 }),
    fc.array(fc.tuple(fc.constant('h'), fc.constant('00')), { minLength: 64, maxLength: 70 }),
  ),
})

export const records = fc.oneof(
  { weight: 5, arbitrary: fc.array(record, { minLength: 1, maxLength: 12 }) },
  fc.array(fc.record({ timestamp, key: fc.constant(null), value: fc.constant('aa'), headers: fc.constant([]) }), {
    minLength: 64,
    maxLength: 200,
  }),
)
