import type { AvroSchema } from '../../../src/serde/serde.ts'
import { type ClickHouseOptions, clickhouse } from '../../../src/sinks/clickhouse/index.ts'
import type { SinkContext } from '../../../src/sinks/sink.ts'
import { contractContext } from '../../../src/testing/contracts/sink-fixtures.ts'
import type { TestServer } from './server.ts'

/** Writes values with one schema, offsets from `firstOffset`, and closes. */
export async function write(
  server: TestServer,
  options: Omit<ClickHouseOptions<unknown, unknown>, 'url'>,
  schema: AvroSchema | undefined,
  values: readonly unknown[],
  firstOffset = 0,
  keys: readonly unknown[] = values.map(() => 'k'),
) {
  const { value, key, ...context } = contractContext(schema)
  const serdes: Partial<SinkContext> = schema === undefined ? {} : { value: value!, key: key! }
  const sink = await clickhouse({ mode: 'append', create: true, url: server.url, ...options }).open({
    ...context,
    ...serdes,
  })
  const refused = await sink.write({
    range: { topic: 't', partition: 0, firstOffset, lastOffset: firstOffset + values.length - 1 },
    keys,
    values,
    timestamps: values.map(() => 0),
    offsets: values.map((_, i) => firstOffset + i),
  })
  await sink.close()
  return refused
}

/** Schemas of what is written. */
export const record = (...fields: Readonly<Record<string, unknown>>[]): AvroSchema => ({
  type: 'record',
  name: 'R',
  fields,
})
export const logical = (type: string, logicalType: string, more: object = {}) => ({ type, logicalType, ...more })

/** A time with milliseconds. */
export const at = Date.UTC(2025, 5, 15, 12, 30, 0, 250)
