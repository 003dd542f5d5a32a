/**
 * Every dependency of the main job is stopped in mid-run: the job waits, says so, goes on, and loses nothing.
 * MILLRACE_OUTAGE_MS=20000 makes the outages as long as in real life.
 */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { schema } from '../../examples/common/schemas.ts'
import { expected } from '../../examples/shop/expected.ts'
import { type Feed, openFeed, PARTITIONS } from '../../examples/shop/feed.ts'
import { transactionAt } from '../../examples/shop/generate.ts'
import { shop } from '../../examples/shop/job.ts'
import { partsFrom, shopSinks } from '../../examples/shop/parts.ts'
import { verify } from '../../examples/shop/verify.ts'
import { avro, run } from '../../src/index.ts'
import { BatchWriter } from '../../src/log/batch/batch-writer.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { schemaRegistry } from '../../src/serde/avro/index.ts'
import { ByteWriter } from '../../src/serde/bytes.ts'
import { embeddedClickHouse } from '../../src/sinks/clickhouse/index.ts'
import { keptLog } from '../support/log-lines.ts'
import { isRunning, kill, start, uniqueName } from '../support/services.ts'

const OUTAGE_MS = Number(process.env.MILLRACE_OUTAGE_MS ?? 2_000)
const SEED = 7
const STEP = 20_000

vi.setConfig({ testTimeout: 60_000 + 8 * OUTAGE_MS + 120_000 })

afterEach(async () => {
  for (const name of ['kafka', 'registry', 's3'] as const) if (!isRunning(name)) await start(name)
})

interface Health {
  readonly phase: string
  readonly waitingFor: Readonly<Record<string, string>>
}

it('waits for ClickHouse, S3, the registry and the broker, says so, and loses nothing', async () => {
  const name = uniqueName('outages')
  const path = join(await mkdtemp(join(tmpdir(), 'millrace-outages-')), 'clickhouse')
  let engine = await embeddedClickHouse({ path })
  const port = Number(new URL(engine.url).port)
  const chosen = partsFrom({ ...process.env, CLICKHOUSE_URL: engine.url }, 'unused', name)
  const parts = { ...chosen, clickhouseUrl: engine.url }
  const newLog = () => kafka({ brokers: parts.kafkaBrokers! })
  const registry = schemaRegistry({ url: parts.registryUrl! })
  const log = newLog()
  await log.connect()
  const feed = await openFeed({ log, name, registry, seed: SEED })
  const { logger, lines } = keptLog()
  const running = await run(shop(shopSinks(parts), name), {
    log: newLog(),
    registry: schemaRegistry({ url: parts.registryUrl! }),
    http: { port: 0 },
    logger,
  })
  const health = async (page: 'healthz' | 'readyz'): Promise<Health> =>
    (await fetch(`http://127.0.0.1:${running.httpPort}/${page}`)).json() as Promise<Health>

  let written = 0
  /** Stops something while records come in, waits until the job says so, and brings it back. */
  async function without(what: RegExp, stop: () => Promise<unknown>, back: () => Promise<unknown>): Promise<void> {
    const from = lines.length
    const feeding = feedFurther(feed, (written += STEP))
    await stop()
    const says = async (page: 'healthz' | 'readyz') =>
      Object.keys((await health(page)).waitingFor).some((key) => what.test(key))
    await vi.waitUntil(() => says('healthz'), { timeout: 60_000, interval: 50 })
    expect(running.state.phase).not.toBe('failed')
    await delay(OUTAGE_MS)
    await vi.waitUntil(() => says('readyz'), { timeout: 60_000, interval: 50 })
    await back()
    await feeding
    await running.caughtUp()
    await vi.waitUntil(async () => Object.keys((await health('readyz')).waitingFor).length === 0, {
      timeout: 60_000,
      interval: 50,
    })
    expect((await health('readyz')).phase).toBe('running')
    const logged = lines.slice(from).map(({ msg }) => msg)
    expect(logged.some((msg) => msg.startsWith('waiting for') && what.test(msg))).toBe(true)
    expect(logged.some((msg) => msg.endsWith('is back') && what.test(msg))).toBe(true)
  }

  await running.ready()
  await without(
    /clickhouse/,
    () => engine.close(),
    async () => {
      engine = await embeddedClickHouse({ path, port })
    },
  )
  await without(
    /lake/,
    () => kill('s3'),
    () => start('s3'),
  )
  const writeOne = await newerProducer(log, `${name}-transactions`)
  await without(
    /registry/,
    async () => {
      await kill('registry')
      await writeOne()
    },
    () => start('registry'),
  )
  await without(
    /log/,
    () => kill('kafka'),
    () => start('kafka'),
  )

  const metrics = await running.metrics.text()
  await running.stop()
  const wanted = expected(SEED, written, PARTITIONS)
  const reading = newLog()
  await reading.connect()
  const verdict = await verify(parts, reading, name, {
    ...wanted,
    transactions: wanted.transactions + 1,
    accepted: wanted.accepted + 1,
  })
  await reading.close()
  expect(verdict.problems).toEqual([])
  expect(metrics).toMatch(/millrace_sink_retries_total\{[^}]*clickhouse[^}]*\} [1-9]/)
  await feed.close()
  await log.close()
  await engine.close()
})

const feedFurther = (feed: Feed, until: number): Promise<void> => feed.writeUntil(until, { perSecond: STEP / 2 })

/** Registers the next schema and gives what writes one failed payment with it: an id that the job has not seen. */
async function newerProducer(log: Log, topic: string): Promise<() => Promise<void>> {
  const registry = schemaRegistry({ url: process.env.SCHEMA_REGISTRY_URL! })
  const codec = avro<object>(schema('transaction-v2')).open({ topic, part: 'value', registry })
  await codec.prepare!()
  const { transaction } = transactionAt(SEED, 0)
  const bytes = new ByteWriter()
  codec.encode({ ...transaction, status: 'failed', channel: 'app' }, bytes)
  const writer = new BatchWriter(1024)
  writer.append(transaction.created_at, Buffer.from(transaction.user_id!), Buffer.from(bytes.bytes()))
  return async () => {
    const producer = log.producer()
    await producer.init()
    await producer.send(topic, 0, writer.finish())
    await producer.close()
  }
}
