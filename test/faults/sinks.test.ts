import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filter, firstValueFrom } from 'rxjs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  json,
  MillraceError,
  type Running,
  type RunOptions,
  run,
  stream,
  string,
  to,
  topology,
} from '../../src/index.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import type { RunHooks } from '../../src/runtime/run.ts'
import { clickhouse } from '../../src/sinks/clickhouse/index.ts'
import { lake, readLake } from '../../src/sinks/lake/index.ts'
import { type Gateway, gatewayTo } from '../sinks/clickhouse/gateway.ts'
import { type TestServer, testServer } from '../sinks/clickhouse/server.ts'
import { faults } from '../support/faults.ts'
import { readRecords, writeRecords } from '../support/records.ts'
import { type S3Gateway, s3Gateway } from '../support/s3-gateway.ts'
import { kafkaBrokers, s3Bucket, uniqueName } from '../support/services.ts'

/** What ClickHouse and S3 do to a running job: every row is there once at the end, whatever they did. */
const { rounds, below } = faults('sinks', 1)
const PARTITIONS = 2

interface Line {
  readonly n: number
  readonly amount: number | string
}

let scratch: string
let log: Log
let server: TestServer
let gateway: Gateway
let s3: S3Gateway
let name: string
let table: string
let fed: number
const started = new Set<Running>()

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'millrace-sinks-'))
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
  server = await testServer()
  gateway = await gatewayTo(server.url)
  s3 = await s3Gateway(s3Bucket().endpoint)
})
afterAll(async () => {
  await gateway.close()
  await s3.close()
  await server.close()
  await log.close()
  await rm(scratch, { recursive: true, force: true })
})
beforeEach(async () => {
  name = uniqueName('sinks')
  table = name.replaceAll('-', '_')
  fed = 0
  await log.admin.create([{ topic: name, partitions: PARTITIONS }])
})
afterEach(async () => {
  gateway.fault = () => undefined
  s3.fault = () => undefined
  for (const running of started) await running.stop()
  started.clear()
})

const place = () => ({ ...s3Bucket(), prefix: name })

async function start(options: Partial<RunOptions> = {}, hooks: RunHooks = {}): Promise<Running> {
  const lines = stream(name, { key: string(), value: json<Line>() })
  const columns = (_key: string, { n, amount }: Line) => ({ n, amount })
  const types = { n: 'UInt32', amount: 'UInt32' }
  const common = { url: gateway.url, create: true, columns, types }
  const job = topology(name, [
    lines.pipe(to(clickhouse({ ...common, table: `${table}_all`, mode: 'append' }))),
    lines.pipe(to(clickhouse({ ...common, table: `${table}_last`, mode: 'upsert' }))),
    lines.pipe(to(lake({ to: { ...place(), endpoint: s3.endpoint } }))),
  ])
  const running = await run(
    job,
    { log: kafka({ brokers: kafkaBrokers() }), commitIntervalMs: 100, logger: false, handleSignals: false, ...options },
    hooks,
  )
  started.add(running)
  running.done.catch(() => started.delete(running))
  return running
}

async function feed(count: number, amountOf: (n: number) => Line['amount'] = (n) => n % 100): Promise<void> {
  const records = Array.from({ length: count }, (_, i) => {
    const n = fed + i
    return { key: `key-${n}`, value: JSON.stringify({ n, amount: amountOf(n) }), timestamp: 1_700_000_000_000 + n }
  })
  fed += count
  for (let i = 0; i < count; i += 10_000) await writeRecords(log, name, records.slice(i, i + 10_000))
}

/** Every row but the refused ones is in both tables once, and every record in the lake. */
async function expectRight(refused: readonly number[] = []): Promise<void> {
  const all = Array.from({ length: fed }, (_, n) => n)
  const accepted = all.filter((n) => !refused.includes(n))
  const numbers = async (query: string) =>
    (await server.rows<{ n: number }>(`SELECT n FROM ${query} ORDER BY n`)).map(({ n }) => n)
  expect(await numbers(`${table}_all`), 'appended').toEqual(accepted)
  expect(await numbers(`${table}_last FINAL`), 'upserted').toEqual(accepted)
  const filed: number[] = []
  for await (const { rows } of readLake<{ value: string }>({ to: place() })) {
    for (const { value } of rows) filed.push((JSON.parse(value) as Line).n)
  }
  expect(
    filed.sort((a, b) => a - b),
    'filed',
  ).toEqual(all)
}

/** Some data before, a fault while more comes in, some after. */
async function during(fault: (running: Running) => Promise<void>): Promise<void> {
  const running = await start()
  await feed(2_000)
  await running.caughtUp()
  for (let round = 0; round < rounds; round++) {
    await fault(running)
    await feed(1_000)
    await running.caughtUp()
  }
  expect(running.state.phase).toBe('running')
  await expectRight()
}

describe('every row is there once, when ClickHouse', () => {
  it('is killed in the middle of inserts', () =>
    during(async (running) => {
      for (let kill = 0; kill < 3; kill++) {
        const died = Promise.withResolvers<void>()
        let skip = below(3)
        gateway.fault = ({ sql }) => {
          if (sql.startsWith('INSERT') && skip-- === 0) {
            // What arrives is on its way to the engine when it dies.
            setTimeout(() => {
              process.kill(server.server.pid, 'SIGKILL')
              died.resolve()
            }, below(6))
          }
          return undefined
        }
        const feeding = feedInParts(8)
        await died.promise
        gateway.fault = () => undefined
        await feeding
        await running.caughtUp()
      }
    }))

  it.each([
    ['loses its answers', 'lose the answer'],
    ['hangs up', 'hang up'],
    ['is read-only for a while', { status: 500, code: 242 }],
    ['has a full disk for a while', { status: 500, code: 243 }],
  ] as const)('%s', (_, fault) =>
    during(async (running) => {
      // More often than the sink tries by itself: the job has to wait, and says so.
      let left = 24
      gateway.fault = ({ sql }) => (sql.startsWith('INSERT') && left-- > 0 ? fault : undefined)
      const waits = firstValueFrom(
        running.state$.pipe(filter(({ waitingFor }) => [...waitingFor.keys()].some((what) => what.includes(table)))),
      )
      const feeding = feedInParts(4)
      await waits
      await feeding
      await running.caughtUp()
      expect(left).toBeLessThanOrEqual(0)
    }),
  )

  async function feedInParts(parts: number): Promise<void> {
    for (let part = 0; part < parts; part++) await feed(500)
  }
})

describe('one row in 100,000 that does not fit is a dead letter, and the others are there once', () => {
  const letters = async () => {
    const found = await readRecords(log, `${name}-dead-letters`)
    return found.map(({ value }) => (JSON.parse(value!) as Line).n)
  }
  /** The commit that has the row fails after its sinks have written, and is repeated. */
  const failingOnce = (): RunHooks => {
    let failures = 2
    return {
      onStep(step) {
        if (step === 'offsets' && failures-- > 0)
          throw new MillraceError('UNAVAILABLE', 'as the test has it', { retriable: true })
      },
    }
  }

  it('of another type', async () => {
    await feed(100_000, (n) => (n === 54_321 ? 'many' : n % 100))
    const running = await start({ commitIntervalMs: 2_000 }, failingOnce())
    await running.caughtUp()
    await expectRight([54_321])
    // One of each table.
    expect(await letters()).toEqual([54_321, 54_321])
  })

  it('found by halving, when it is the server that refuses it', async () => {
    // The first rows make the tables.
    await feed(10)
    const first = await start()
    await first.caughtUp()
    await first.stop()
    for (const which of ['all', 'last'])
      await server.run(`ALTER TABLE ${table}_${which} ADD CONSTRAINT small CHECK amount < 100`)
    await feed(100_000, (n) => (n === 12_345 ? 100 : n % 100))
    const running = await start({ commitIntervalMs: 2_000 }, failingOnce())
    await running.caughtUp()
    await expectRight([12_345])
    expect(await letters()).toEqual([12_345, 12_345])
  })
})

describe('every row is there once, when S3', () => {
  const objects = (method: string, path: string) => method === 'PUT' && path.includes('.avro')

  it.each([
    ['answers 500', { status: 500 }],
    ['answers 503', { status: 503 }],
    ['is slow', { lateMs: 700 }],
    ['is cut off in mid-upload', 'cut'],
    ['loses its answers, and says 412 to what is tried again', 'lose the answer'],
  ] as const)('%s', (_, fault) =>
    during(async (running) => {
      let left = 8
      const before = s3.present
      s3.fault = (method, path) => (objects(method, path) && left-- > 0 ? fault : undefined)
      for (let part = 0; part < 6; part++) {
        await feed(500)
        await running.caughtUp()
      }
      expect(left).toBeLessThanOrEqual(0)
      if (fault === 'lose the answer') expect(s3.present).toBeGreaterThan(before)
    }),
  )
})
