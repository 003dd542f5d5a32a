import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stateDirectory } from '../../../scripts/services/paths.ts'
import {
  count,
  describe as describeTopology,
  groupBy,
  json,
  type RunOptions,
  run,
  stream,
  string,
  to,
  topology,
  toStream,
} from '../../../src/index.ts'
import { ATTRIBUTES, COUNT, RECORDS } from '../../../src/log/batch/layout.ts'
import { kafka } from '../../../src/log/kafka/index.ts'
import type { Log } from '../../../src/log/log.ts'
import { clickhouse } from '../../../src/sinks/clickhouse/index.ts'
import { lake } from '../../../src/sinks/lake/index.ts'
import { batchOf, eventually } from '../../../src/testing/contracts/log/fixture.ts'
import { plan } from '../../../src/topology/plan.ts'
import { seal } from '../../log/batch/seal.ts'
import { readRecords } from '../../support/records.ts'
import { kafkaBrokers, s3Bucket, securedKafka, uniqueName } from '../../support/services.ts'

/** What a real log may hold besides good records. */
let log: Log
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())

const FOREVER = { 'message.timestamp.after.max.ms': '9223372036854775807' }
const values = async (topic: string) => (await readRecords(log, topic)).map(({ value }) => value)

async function copying(name = uniqueName('poison'), config: Record<string, string> = {}) {
  const [source, target] = [`${name}-in`, `${name}-out`]
  await log.admin.create([
    { topic: source, partitions: 1, config: { ...FOREVER, ...config } },
    { topic: target, partitions: 1, config: FOREVER },
  ])
  const copy = topology(name, [
    stream(source, { key: string(), value: string() }).pipe(to(target, { key: string(), value: string() })),
  ])
  const start = (options: Partial<RunOptions> = {}) =>
    run(copy, { log: kafka({ brokers: kafkaBrokers() }), logger: false, commitIntervalMs: 50, ...options })
  return { name, source, target, start }
}

describe('a running topology on a real Kafka', () => {
  const damages: Record<string, (batch: Buffer) => void> = {
    'has a bad CRC': (batch) => {
      batch[RECORDS + 8] ^= 1
    },
    'has an unknown compression': (batch) => {
      batch[ATTRIBUTES + 1] |= 7
      seal(batch)
    },
    'ends in the middle of a record': (batch) => {
      batch[RECORDS] = 126
      seal(batch)
    },
    'says it has more records than it has': (batch) => {
      batch.writeInt32BE(9, COUNT)
      seal(batch)
    },
  }
  it.each(Object.entries(damages))(
    'passes a batch that, after damage on disk, %s: dead letter, counter, and the rest goes on',
    async (_, damage) => {
      const { name, source, target, start } = await copying()
      const producer = log.producer()
      await producer.init()
      const first = batchOf(['k', 'a', 1])
      await producer.send(source, 0, first)
      await producer.send(source, 0, batchOf(['k', 'to be damaged', 2]))
      await producer.send(source, 0, batchOf(['k', 'b', 3]))
      const file = await open(join(stateDirectory(), 'kafka', 'data', `${source}-0`, `${'0'.repeat(20)}.log`), 'r+')
      const size = batchOf(['k', 'to be damaged', 2]).length
      const { buffer } = await file.read(Buffer.alloc(size), 0, size, first.length)
      damage(buffer)
      await file.write(buffer, 0, size, first.length)
      await file.close()
      const job = await start()
      await job.caughtUp()
      expect(await values(target)).toEqual(['a', 'b'])
      expect(await readRecords(log, `${name}-dead-letters`)).toMatchObject([{ key: null }])
      expect(await job.metrics.text()).toMatch(/dead_lettered_total\{.*reason="CORRUPT_BATCH"\} 1/)
      await job.stop()
    },
  )

  it.each([
    ['fail', undefined],
    ['earliest', ['c', 'd']],
    ['latest', ['d']],
  ] as const)('goes on by the policy where the committed offset is gone: %s', async (outOfRange, expected) => {
    const { source, target, start } = await copying()
    const producer = log.producer()
    await producer.init()
    const write = async (...written: readonly string[]) => {
      for (const value of written) await producer.send(source, 0, batchOf(['k', value, 1]))
    }
    await write('a')
    const first = await start()
    await first.caughtUp()
    await first.stop()
    await write('b', 'c')
    await log.admin.trim([{ topic: source, partition: 0, offset: 2 }])
    const lines: { level: number; msg: string }[] = []
    const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) })
    const job = await start({ outOfRange, logger })
    if (expected === undefined) {
      await expect(job.done).rejects.toMatchObject({
        code: 'OFFSET_OUT_OF_RANGE',
        context: { topic: source, partition: 0, offset: 1 },
      })
      return
    }
    await eventually(() => expect(lines.find(({ msg }) => msg.startsWith('offset out of range'))?.level).toBe(50))
    await write('d')
    await job.caughtUp()
    expect(await values(target)).toEqual(['a', ...expected])
    await job.stop()
  })

  it('sees no record of aborted transactions that interleave, from the start and from the middle', async () => {
    const { source, target, start } = await copying()
    const producers = await Promise.all(
      [0, 1, 2].map(async (n) => {
        const producer = log.producer({ transactionalId: `${source}-${n}` })
        await producer.init()
        return producer
      }),
    )
    const expected: string[] = []
    for (let round = 0; round < 6; round++) {
      for (const producer of producers) producer.begin()
      for (const half of ['x', 'y'])
        for (const [n, producer] of producers.entries())
          await producer.send(source, 0, batchOf(['k', `${round}.${n}.${half}`, 1]))
      // One commits, two abort; another one each time, and in another order.
      for (const k of [0, 1, 2]) {
        const n = (k + round) % 3
        if (n === round % 3) await producers[n].commit()
        else await producers[n].abort()
      }
      expected.push(`${round}.${round % 3}.x`, `${round}.${round % 3}.y`)
    }
    const job = await start()
    await job.caughtUp()
    expect(await values(target)).toEqual(expected)
    await job.stop()
    const [{ offset: end }] = await log.admin.endOffsets([{ topic: source, partition: 0 }])
    const reader = log.reader()
    const whole = await readRecords(log, source)
    expect(whole.map(({ value }) => value)).toEqual(expected)
    for (let from = 0; from < end; from++) {
      let seen = 0
      for (let offset = from; offset < end; ) {
        const [fetched] = await reader.fetch([{ topic: source, partition: 0, offset }], {
          maxBytes: 1e6,
          maxBytesPerPartition: 1e6,
          maxWaitMs: 100,
        })
        if (!fetched) continue
        for (const batch of fetched.batches)
          for (let i = 0; i < batch.count; i++) {
            if (batch.offsets[i] < from) continue
            seen++
            expect(expected).toContain(batch.buffer.toString('utf8', batch.valueStart[i], batch.valueEnd[i]))
          }
        offset = fetched.next
      }
      expect(seen).toBeLessThanOrEqual(expected.length)
    }
    await reader.close()
  })

  it('goes past the holes of a compacted topic', async () => {
    const { source, target, start } = await copying(undefined, {
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.0',
      'segment.bytes': '1048576',
      'segment.ms': '100',
      'max.compaction.lag.ms': '100',
    })
    const producer = log.producer()
    await producer.init()
    const now = Date.now()
    for (let n = 0; n < 40; n++) await producer.send(source, 0, batchOf([`k${n % 4}`, `${n}`, now + n * 200]))
    await eventually(async () => expect((await readRecords(log, source)).length).toBeLessThan(20), 40_000)
    const job = await start()
    await job.caughtUp()
    const left = await values(target)
    expect(left.slice(-4)).toEqual(['36', '37', '38', '39'])
    expect(left.length).toBeLessThan(40)
    await job.stop()
  })

  it('takes times in the far future through repartition topics, changelogs and dead letters', async () => {
    const name = uniqueName('future')
    await log.admin.create(['in', 'out'].map((of) => ({ topic: `${name}-${of}`, partitions: 2, config: FOREVER })))
    const counting = topology(name, [
      stream(`${name}-in`, { key: string(), value: json<string>() }).pipe(
        groupBy((value) => value),
        count('counts'),
        toStream(),
        to(`${name}-out`, { key: string(), value: json<number | null>() }),
      ),
    ])
    const producer = log.producer()
    await producer.init()
    const year2200 = Date.UTC(2200, 0)
    await producer.send(`${name}-in`, 0, batchOf(['k', '"word"', year2200], ['k', 'no JSON', year2200]))
    const job = await run(counting, { log: kafka({ brokers: kafkaBrokers() }), logger: false, commitIntervalMs: 50 })
    await job.caughtUp()
    expect(await readRecords(log, `${name}-out`)).toMatchObject([{ key: 'word', value: '1', timestamp: year2200 }])
    expect(await readRecords(log, `${name}-dead-letters`)).toMatchObject([{ value: 'no JSON', timestamp: year2200 }])
    await job.stop()
  })

  it('cuts its batches to what a topic takes, and a record that is larger is a dead letter', async () => {
    const name = uniqueName('large')
    const most = 10_000
    await log.admin.create([
      { topic: `${name}-in`, partitions: 1 },
      { topic: `${name}-out`, partitions: 1, config: { 'max.message.bytes': `${most}` } },
    ])
    const copy = topology(name, [
      stream(`${name}-in`, { key: string(), value: string() }).pipe(
        to(`${name}-out`, { key: string(), value: string() }),
      ),
    ])
    const small = Array.from({ length: 5_000 }, (_, n) => `value ${n}`)
    // One byte more makes its batch too large.
    const fits = 'f'.repeat(most - (batchOf(['k', 'x'.repeat(9_000)]).length - 9_000))
    expect(batchOf(['k', fits]).length).toBe(most)
    const producer = log.producer()
    await producer.init()
    for (const value of [fits, `${fits}!`, 'x'.repeat(5 * most)])
      await producer.send(`${name}-in`, 0, batchOf(['k', value]))
    await producer.send(`${name}-in`, 0, batchOf(...small.map((value) => ['k', value] as const)))
    const start = (refused?: 'fail') =>
      run(copy, { log: kafka({ brokers: kafkaBrokers() }), logger: false, commitIntervalMs: 50, errors: { refused } })
    const stopped = await start('fail')
    await expect(stopped.done).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      context: { topic: `${name}-out` },
      hint: expect.stringMatching(/max.message.bytes/),
    })
    expect(await values(`${name}-out`)).toEqual([])
    const job = await start()
    await job.caughtUp()
    expect(await values(`${name}-out`)).toEqual([fits, ...small])
    expect(await values(`${name}-dead-letters`)).toEqual([`${fits}!`, 'x'.repeat(5 * most)])
    expect(await job.metrics.text()).toMatch(/dead_lettered_total\{.*reason="RECORD_TOO_LARGE"\} 2/)
    await job.stop()
  })
})

it('no secret is in what a running topology emits', async () => {
  const { brokers, ca, username, password } = securedKafka()
  const { source, target } = await copying()
  const lines: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line) => void lines.push(line) })
  const secured = (of: string) =>
    kafka({
      brokers,
      ssl: { ca },
      sasl: { mechanism: 'scram-sha-512', username, password: of },
      log: (entry) => void lines.push(JSON.stringify(entry)),
    })
  const name = uniqueName('secret')
  const place = s3Bucket()
  const texts = stream(source, { key: string(), value: string() })
  const copy = topology(name, [
    texts.pipe(to(target, { key: string(), value: string() })),
    texts.pipe(to(lake({ to: { ...place, prefix: name } }))),
  ])
  const warehouse = topology(name, [
    texts.pipe(to(clickhouse({ url: 'http://ada:in-the-url@localhost:1', table: 'a', mode: 'append' }))),
    texts.pipe(
      to(
        clickhouse({
          url: 'http://localhost:1',
          username: 'ada',
          password: 'given-by-option',
          table: 'b',
          mode: 'append',
        }),
      ),
    ),
  ])
  const producer = log.producer()
  await producer.init()
  await producer.send(source, 0, batchOf(['k', 'a', 1]))
  const job = await run(copy, { log: secured(password), logger, commitIntervalMs: 50, http: { port: 0 } })
  await job.caughtUp()
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${job.httpPort}/${path}`)).text()
  const emitted = [await job.metrics.text(), await get('metrics'), await get('healthz'), await get('readyz')]
  await job.stop()
  for (const of of [copy, warehouse]) {
    const { text, mermaid, json: described } = describeTopology(of)
    emitted.push(text, mermaid, JSON.stringify(described), inspect(plan(of), { depth: 30, showHidden: true }))
  }
  const wrong = 'not-the-password-either'
  const refused = await run(copy, { log: secured(wrong), logger, commitIntervalMs: 50 }).catch((error: Error) => error)
  expect(refused).toMatchObject({ code: 'AUTHENTICATION_FAILED' })
  for (let error: unknown = refused; error instanceof Error; error = error.cause)
    emitted.push(`${error.message} ${error.stack} ${JSON.stringify(error)}`)
  const all = [...emitted, ...lines].join('\n')
  expect(lines.length, 'something must have been logged').toBeGreaterThan(0)
  expect(all, 'the sinks must have been described').toMatch(/clickhouse.*lake|lake.*clickhouse/s)
  for (const secret of [password, wrong, place.credentials.secretAccessKey, 'in-the-url', 'given-by-option']) {
    expect(all).not.toContain(secret)
    expect(all).not.toContain(Buffer.from(secret).toString('base64'))
  }
})
