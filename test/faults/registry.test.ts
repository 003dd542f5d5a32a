import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { avro, count, groupBy, json, run, stream, string, to, topology, toStream } from '../../src/index.ts'
import { BatchWriter } from '../../src/log/batch/batch-writer.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { schemaRegistry } from '../../src/serde/avro/index.ts'
import { ByteWriter } from '../../src/serde/bytes.ts'
import type { AvroSchema } from '../../src/serde/serde.ts'
import { faults } from '../support/faults.ts'
import { keptLog } from '../support/log-lines.ts'
import { readRecords } from '../support/records.ts'
import { isRunning, kafkaBrokers, kill, registryUrl, start, uniqueName } from '../support/services.ts'

/** The registry is not there: at the start, and when a schema comes that the job has not seen. */
let log: Log
let url: string
beforeAll(async () => {
  url = registryUrl()
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())
afterEach(async () => {
  if (!isRunning('registry')) await start('registry')
})

interface Visit {
  readonly page: string
  readonly seconds?: number
}
const v1: AvroSchema = { type: 'record', name: 'Visit', fields: [{ name: 'page', type: 'string' }] }
const v2: AvroSchema = {
  type: 'record',
  name: 'Visit',
  fields: [
    { name: 'page', type: 'string' },
    { name: 'seconds', type: 'int', default: 0 },
  ],
}

/** What writes with a schema that it has registered already. */
async function producerOf(topic: string, schema: AvroSchema): Promise<(values: readonly Visit[]) => Promise<void>> {
  const codec = avro<Visit>(schema).open({ topic, part: 'value', registry: schemaRegistry({ url }) })
  await codec.prepare!()
  return async (values) => {
    const [writer, bytes] = [new BatchWriter(1024), new ByteWriter()]
    for (const [i, value] of values.entries()) {
      codec.encode(value, bytes.reset())
      writer.append(1_700_000_000_000 + i, Buffer.from(`k${i}`), Buffer.from(bytes.bytes()))
    }
    const producer = log.producer()
    await producer.init()
    await producer.send(topic, 0, writer.finish())
    await producer.close()
  }
}

const visits = (n: number): Visit[] => Array.from({ length: n }, (_, i) => ({ page: `page-${i % 3}`, seconds: i }))

const { rounds } = faults('registry', 1)

it('the registry is away at the start, and again when a new schema comes: the job waits, and nothing is lost', async () => {
  for (let round = 0; round < rounds; round++) await awayTwice()
})

async function awayTwice(): Promise<void> {
  const name = uniqueName('registry')
  const topic = `${name}-in`
  await log.admin.create([topic, `${name}-out`].map((of) => ({ topic: of, partitions: 1 })))
  const [writeV1, writeV2] = [await producerOf(topic, v1), await producerOf(topic, v2)]
  await writeV1(visits(30))

  await kill('registry')
  const { logger, lines } = keptLog()
  const job = topology(name, [
    stream(topic, { key: string(), value: avro<Visit>(v1) }).pipe(
      groupBy(({ page }) => page),
      count('visits'),
      toStream(),
      to(`${name}-out`, { key: string(), value: json<number | null>() }),
    ),
  ])
  const starting = run(job, {
    log: kafka({ brokers: kafkaBrokers() }),
    registry: schemaRegistry({ url }),
    commitIntervalMs: 50,
    handleSignals: false,
    logger,
  })
  const said = (text: string) => lines.filter(({ msg }) => msg === text).length
  await vi.waitUntil(() => said('waiting for registry') === 1, { timeout: 60_000, interval: 20 })
  await start('registry')
  const running = await starting
  await running.caughtUp()

  await kill('registry')
  await writeV2(visits(30))
  await vi.waitUntil(() => said('waiting for registry') === 2, { timeout: 60_000, interval: 20 })
  await writeV1(visits(30))
  expect(running.state.phase).toBe('running')
  await start('registry')
  await running.caughtUp()
  await running.stop()
  expect(said('registry is back')).toBe(2)

  const counts = Object.fromEntries(
    (await readRecords(log, `${name}-out`)).map(({ key, value }) => [key, Number(value)]),
  )
  expect(counts).toEqual({ 'page-0': 30, 'page-1': 30, 'page-2': 30 })
}
