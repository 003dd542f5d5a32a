import { inspect } from 'node:util'
import pino from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describe as describeTopology, run, stream, string, to, topology } from '../../../src/index.ts'
import { kafka } from '../../../src/log/kafka/index.ts'
import type { Log } from '../../../src/log/log.ts'
import { clickhouse } from '../../../src/sinks/clickhouse/index.ts'
import { lake } from '../../../src/sinks/lake/index.ts'
import { batchOf } from '../../../src/testing/contracts/log/fixture.ts'
import { plan } from '../../../src/topology/plan.ts'
import { kafkaBrokers, s3Bucket, securedKafka, uniqueName } from '../../support/services.ts'
import { copying } from './copying.ts'

let log: Log
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())

it('no secret is in what a running topology emits', async () => {
  const { brokers, ca, username, password } = securedKafka()
  const { source, target } = await copying(log)
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
