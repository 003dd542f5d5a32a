/** A producer moves from one schema to the next in mid-stream: a running job on real Kafka and a real registry goes on. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { schema } from '../../examples/common/schemas.ts'
import { avro, run, stream, string, to, topology } from '../../src/index.ts'
import { BatchWriter } from '../../src/log/batch/batch-writer.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { schemaRegistry } from '../../src/serde/avro/index.ts'
import { ByteWriter } from '../../src/serde/bytes.ts'
import type { AvroSchema } from '../../src/serde/serde.ts'
import { clickhouse, type EmbeddedClickHouse, embeddedClickHouse } from '../../src/sinks/clickhouse/index.ts'
import { keptLog } from '../support/log-lines.ts'
import { readRecords } from '../support/records.ts'
import { registryUrl, uniqueName } from '../support/services.ts'

const topic = uniqueName('evolution')
const table = topic.replaceAll('-', '_')
const newLog = () => kafka({ brokers: process.env.KAFKA_BROKERS!.split(',') })
let engine: EmbeddedClickHouse
let log: Log

beforeAll(async () => {
  engine = await embeddedClickHouse({ path: join(await mkdtemp(join(tmpdir(), 'millrace-')), 'clickhouse') })
  log = newLog()
  await log.connect()
  await log.admin.create([{ topic, partitions: 2, config: { 'retention.ms': '-1' } }])
})
afterAll(async () => {
  await log.close()
  await engine.close()
})

const payment = (i: number) => ({
  transaction_id: `t${i}`,
  user_id: `u${i % 7}`,
  product_id: i,
  category: 'books',
  amount: i / 100,
  currency: 'EUR',
  status: 'completed',
  created_at: Date.UTC(2026, 0, 1) + i,
})

/** As a producer of its own: its schema is registered under `subject`, its records go to the topic. */
async function produce(of: AvroSchema, subject: string, values: readonly object[]): Promise<void> {
  const registry = schemaRegistry({ url: registryUrl() })
  const codec = avro<object>(of, { subject }).open({ topic, part: 'value', registry })
  await codec.prepare!()
  const producer = log.producer()
  await producer.init()
  const writer = new BatchWriter(1024)
  const bytes = new ByteWriter()
  for (const [i, value] of values.entries()) {
    codec.encode(value, bytes.reset())
    writer.append(Date.UTC(2026, 0, 1) + i, Buffer.from(`k${i}`), Buffer.from(bytes.bytes()))
  }
  await producer.send(topic, 1, writer.finish())
  await producer.close()
}

async function query<T>(sql: string): Promise<T[]> {
  const client = createClient({ url: engine.url })
  const result = await client.query({ query: sql, format: 'JSONEachRow' })
  const rows = await result.json<T>()
  await client.close()
  return rows
}
const rows = async () => Number((await query<{ n: string }>(`SELECT count() AS n FROM ${table}`))[0].n)

it('takes new fields, renamed fields and what does not fit at all, without a restart', async () => {
  const v1 = schema('transaction')
  const v2 = schema('transaction-v2')
  const { fields } = v2 as { fields: { name: string }[] }
  const renamed = {
    ...(v2 as object),
    fields: fields.map((field) => (field.name === 'amount' ? { ...field, name: 'total', aliases: ['amount'] } : field)),
  }
  const broken = {
    ...(v1 as object),
    fields: fields.map((field) => (field.name === 'product_id' ? { name: 'product_id', type: 'string' } : field)),
  }
  const app = topology(topic, [
    stream(topic, { key: string(), value: avro<ReturnType<typeof payment>>(v1, { evolve: true }) }).pipe(
      to(clickhouse({ table, url: engine.url, mode: 'append', create: true })),
    ),
  ])
  const { logger, lines } = keptLog()
  await produce(v1, `${topic}-value`, [0, 1, 2].map(payment))
  const running = await run(app, { log: newLog(), registry: schemaRegistry({ url: registryUrl() }), logger })
  await running.caughtUp()
  expect(await rows()).toBe(3)
  expect(await query(`SELECT name FROM system.columns WHERE table = '${table}' AND name = 'channel'`)).toEqual([])

  await produce(
    v2,
    `${topic}-value`,
    [3, 4].map((i) => ({ ...payment(i), channel: 'app' })),
  )
  await running.caughtUp()
  await produce(
    renamed,
    `${topic}-value`,
    [5].map((i) => ({ ...payment(i), total: 99.5, channel: 'store' })),
  )
  await running.caughtUp()
  // The registry would refuse it under the topic's own subject; a producer that is set up wrong writes it anyway.
  await produce(
    broken,
    `${topic}-wrong`,
    [6].map((i) => ({ ...payment(i), product_id: 'six', channel: 'web' })),
  )
  await produce(v1, `${topic}-value`, [7].map(payment))
  await running.caughtUp()

  expect(await query(`SELECT transaction_id AS id, amount, channel FROM ${table} ORDER BY id`)).toEqual([
    { id: 't0', amount: 0, channel: 'web' },
    { id: 't1', amount: 0.01, channel: 'web' },
    { id: 't2', amount: 0.02, channel: 'web' },
    { id: 't3', amount: 0.03, channel: 'app' },
    { id: 't4', amount: 0.04, channel: 'app' },
    { id: 't5', amount: 99.5, channel: 'store' },
    { id: 't7', amount: 0.07, channel: 'web' },
  ])
  expect(running.state.phase).toBe('running')
  const metrics = await running.metrics.text()
  expect(metrics).toMatch(/millrace_records_dead_lettered_total\{.*reason="UNDECODABLE_RECORD"\} 1/)
  await running.stop()
  expect(await readRecords(log, `${topic}-dead-letters`)).toHaveLength(1)
  expect(lines.filter(({ msg }) => msg === 'record sent to the dead letters')).toEqual([
    expect.objectContaining({
      topic,
      partition: 1,
      offset: 6,
      reason: 'UNDECODABLE_RECORD',
      err: expect.objectContaining({
        message: expect.stringMatching(/cannot be read as shop.Transaction: product_id.*string.*int/),
      }),
    }),
  ])
})

vi.setConfig({ testTimeout: 90_000 })
