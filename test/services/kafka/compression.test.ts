import { afterAll, beforeAll, expect, it } from 'vitest'
import { kafka } from '../../../src/log/kafka/index.ts'
import type { Log } from '../../../src/log/log.ts'
import { readRecords, writeRecords } from '../../support/records.ts'
import { kafkaBrokers, uniqueName } from '../../support/services.ts'

let log: Log
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())

// A topic with a compression of its own has the broker pack every batch again, with the code of the Java client.
it.each(['gzip', 'snappy', 'lz4', 'zstd'])('what Java has packed with %s is read, small and large', async (codec) => {
  const topic = uniqueName(codec)
  await log.admin.create([{ topic, partitions: 1, config: { 'compression.type': codec } }])
  const records = Array.from({ length: 2_000 }, (_, n) => ({
    key: `key-${n % 17}`,
    value: n === 1_000 ? 'ab'.repeat(100_000) : `value ${n} `.repeat(n % 9),
    timestamp: 1_700_000_000_000 + n,
  }))
  await writeRecords(log, topic, records.slice(0, 1))
  await writeRecords(log, topic, records.slice(1))
  expect(await readRecords(log, topic)).toEqual(records.map((record) => ({ ...record, partition: 0 })))
})
