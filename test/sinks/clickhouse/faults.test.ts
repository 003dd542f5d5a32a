import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import { ServerFailure, toMillraceError } from '../../../src/sinks/clickhouse/failures.ts'
import { type ClickHouseOptions, clickhouse } from '../../../src/sinks/clickhouse/index.ts'
import type { Sink } from '../../../src/sinks/sink.ts'
import {
  type ContractRow,
  contractBatch,
  contractContext,
  contractRow,
} from '../../../src/testing/contracts/sink-fixtures.ts'
import { type Gateway, gatewayTo } from './gateway.ts'
import { type TestServer, testServer } from './server.ts'

type Options = ClickHouseOptions<string, ContractRow>

describe('the ClickHouse sink, when things go wrong', () => {
  let server: TestServer
  let gateway: Gateway
  let context: ReturnType<typeof contractContext>
  const opened: Sink<string, ContractRow>[] = []
  let count = 0
  let table = ''

  beforeAll(async () => {
    server = await testServer()
  }, 60_000)
  afterAll(() => server.close())
  beforeEach(async () => {
    gateway = await gatewayTo(server.url)
    table = `faults_${count++}`
  })
  afterEach(async () => {
    for (const sink of opened.splice(0)) await sink.close()
    await gateway.close()
  })

  async function open(options: Partial<Options> = {}) {
    context = contractContext()
    const definition = clickhouse<string, ContractRow>({
      table,
      mode: 'append',
      create: true,
      url: gateway.url,
      ...options,
    })
    const sink = await definition.open(context)
    opened.push(sink)
    return sink
  }
  const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => contractRow(from + i))
  const ids = async () => (await server.rows<{ id: string }>(`SELECT id FROM ${table} ORDER BY id`)).map(({ id }) => id)
  const idsOf = (from: number, to: number) =>
    rows(from, to)
      .map(({ id }) => id)
      .sort()
  const failureOf = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it should have failed'),
      (error: unknown) => error as MillraceError,
    )
  /** Faults for the first inserts, one each. */
  const faultsOnInserts = (...faults: ReturnType<Gateway['fault']>[]) => {
    gateway.fault = ({ sql }) => (sql.startsWith('INSERT') ? faults.shift() : undefined)
  }

  it('repeats a failed insert with its token, and tells of it', async () => {
    const sink = await open()
    faultsOnInserts('lose the answer', 'hang up', { status: 500, code: 252 })
    expect(await sink.write(contractBatch(rows(0, 5), 100))).toEqual([])
    const tokens = gateway.inserts().map(({ token }) => token)
    expect(tokens).toEqual(new Array(4).fill(`contract/clickhouse:${table}/contract-source/0/100-104#0-4`))
    expect(context.retries.length).toBe(3)
    expect(await ids()).toEqual(idsOf(0, 5))
  })

  it('never inserts asynchronously', async () => {
    const sink = await open()
    await sink.write(contractBatch(rows(0, 5)))
    expect(gateway.inserts().map(({ settings }) => settings.get('async_insert'))).toEqual(['0'])
  })

  it.each([
    [{ status: 500, code: 241 }, 'UNAVAILABLE'],
    [{ status: 503, text: '<html>bad gateway</html>' }, 'UNAVAILABLE'],
    [{ status: 403, code: 516 }, 'AUTHENTICATION_FAILED'],
    [{ status: 403, code: 497 }, 'NOT_AUTHORIZED'],
    [{ status: 401, text: 'who are you?' }, 'AUTHENTICATION_FAILED'],
    [{ status: 404, code: 81 }, 'MISSING_TABLE'],
    [{ status: 400, code: 62 }, 'SINK_REFUSED'],
    [{ status: 200, text: 'Code: 241. DB::Exception: Memory limit. (MEMORY_LIMIT_EXCEEDED)' }, 'UNAVAILABLE'],
  ] as const)('reports %o as %s', async (fault, code) => {
    const sink = await open()
    gateway.fault = ({ sql }) => (sql.startsWith('INSERT') ? fault : undefined)
    const failure = await failureOf(sink.write(contractBatch(rows(0, 5), 3)))
    expect(failure).toBeInstanceOf(MillraceError)
    expect(failure.code).toBe(code)
    expect(failure.retriable).toBe(code === 'UNAVAILABLE')
    expect(failure.context).toMatchObject({ topic: 'contract-source', partition: 0, offset: 3 })
    gateway.fault = () => undefined
    await sink.write(contractBatch(rows(0, 5), 3))
    expect(await ids()).toEqual(idsOf(0, 5))
  })

  it.each([32, 159, 202, 209, 210, 225, 236, 241, 242, 243, 252, 285, 319, 425, 999])(
    'waits for code %i to pass',
    (code) => {
      const error = toMillraceError(new ServerFailure(code, 500, 'for now'), { url: 'http://there', topic: 't' })
      expect(error).toMatchObject({ code: 'UNAVAILABLE', retriable: true, context: { topic: 't' } })
    },
  )

  it('cannot be opened while the server is away, and says where it looked', async () => {
    gateway.fault = () => 'hang up'
    const failure = await failureOf(open())
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', retriable: true })
    expect(failure.message).toContain(gateway.url)
  })

  it('shows no password, wherever it was given', async () => {
    gateway.fault = () => ({ status: 403, code: 516 })
    const url = gateway.url.replace('//', '//someone:hunter2@')
    for (const options of [{ url }, { username: 'someone', password: 'hunter2' }]) {
      const failure = await failureOf(open(options))
      expect(failure.code).toBe('AUTHENTICATION_FAILED')
      const shown = [failure.message, failure.stack, JSON.stringify(failure), String(failure.cause)].join()
      expect(shown).not.toContain('hunter2')
      expect(JSON.stringify(clickhouse({ table, ...options }))).not.toContain('hunter2')
    }
    const wrong = await failureOf(open({ url: 'hunter2' }))
    expect(wrong.code).toBe('INVALID_OPTION')
    expect(wrong.message).not.toContain('hunter2')
  })

  it('gives the statement to run where the table is not there', async () => {
    const failure = await failureOf(open({ create: false, mode: 'upsert' }))
    expect(failure.code).toBe('MISSING_TABLE')
    const ddl = failure.message.slice(failure.message.indexOf('CREATE TABLE'))
    await server.run(ddl)
    const sink = await open({ create: false, mode: 'upsert' })
    await sink.write(contractBatch(rows(0, 3)))
    expect(await ids()).toEqual(idsOf(0, 3))
  })

  it('refuses a table that would count a repeated batch twice', async () => {
    await server.run(`CREATE TABLE ${table} (id String, amount Float64) ENGINE = MergeTree ORDER BY id`)
    const failure = await failureOf(open({ create: false }))
    expect(failure.code).toBe('INVALID_OPTION')
    await server.run(/ALTER TABLE .*/.exec(failure.message)![0])
    const sink = await open({ create: false })
    await sink.write(contractBatch(rows(0, 3)))
    await sink.write(contractBatch(rows(0, 3)))
    expect(await ids()).toEqual(idsOf(0, 3))
  })

  it('refuses to upsert into a table that keeps every row', async () => {
    await server.run(`CREATE TABLE ${table} (id String) ENGINE = MergeTree ORDER BY id`)
    expect((await failureOf(open({ mode: 'upsert' }))).code).toBe('INVALID_OPTION')
  })

  it('finds the rows that the server refuses, again on a replay', async () => {
    const sink = await open()
    await server.run(`ALTER TABLE ${table} ADD CONSTRAINT positive CHECK amount >= 0`)
    const batch = contractBatch(
      rows(0, 50).map((row, i) => (i % 17 === 3 ? { ...row, amount: -1 } : row)),
      10,
    )
    for (let attempt = 0; attempt < 2; attempt++) {
      const refused = await sink.write(batch)
      expect(refused.map(({ index }) => index)).toEqual([3, 20, 37])
      expect(refused[0]!.error).toMatchObject({ code: 'SINK_REFUSED', context: { offset: 13, key: 'r3' } })
      expect(refused[0]!.error.message).toContain('positive')
      expect((await ids()).length).toBe(47)
    }
    const tokens = gateway.inserts().map(({ token }) => token)
    const half = tokens.length / 2
    expect(tokens.slice(0, half)).toEqual(tokens.slice(half))
  })

  it('does not halve a batch for a fault that has passed', async () => {
    const sink = await open()
    faultsOnInserts({ status: 400, code: 33 })
    expect(await sink.write(contractBatch(rows(0, 8)))).toEqual([])
    const [first, second, ...more] = gateway.inserts().map(({ token }) => token)
    expect([first, more]).toEqual([second, []])
    expect(await ids()).toEqual(idsOf(0, 8))
  })

  it('gives up on a batch of which nothing is accepted', async () => {
    const sink = await open()
    await server.run(`ALTER TABLE ${table} ADD CONSTRAINT never CHECK 0`)
    const failure = await failureOf(sink.write(contractBatch(rows(0, 1000))))
    expect(failure).toMatchObject({ code: 'SINK_REFUSED', retriable: false })
    expect(failure.message).toContain('never')
    expect(gateway.inserts().length).toBeLessThan(200)
  })

  it('writes what is more than one insert may hold in parts that are the same on every replay', async () => {
    const sink = await open({ insert: { rows: 30, bytes: 500 } })
    const long = rows(0, 100).map((row, i) => (i % 10 === 0 ? { ...row, note: 'x'.repeat(200) } : row))
    const batch = contractBatch(long, 0)
    expect(await sink.write(batch)).toEqual([])
    const tokens = gateway.inserts().map(({ token }) => token)
    expect(tokens.length).toBeGreaterThan(5)
    expect(new Set(tokens).size).toBe(tokens.length)
    // Columns that come with other rows do not move the limits between the inserts.
    await server.run(`ALTER TABLE ${table} ADD COLUMN a Nullable(String), ADD COLUMN b Nullable(Int64)`)
    const wider = { ...batch, values: batch.values.map((value) => ({ ...value!, a: null, b: undefined })) }
    const again = await open({ insert: { rows: 30, bytes: 500 } })
    expect(await again.write(wider)).toEqual([])
    expect(gateway.inserts().map(({ token }) => token)).toEqual([...tokens, ...tokens])
    expect(await ids()).toEqual(idsOf(0, 100))
  })

  it('goes on when a column it wrote to is dropped', async () => {
    const sink = await open()
    await sink.write(contractBatch(rows(0, 3), 0))
    await server.run(`ALTER TABLE ${table} DROP COLUMN note`)
    expect(await sink.write(contractBatch(rows(3, 6), 3))).toEqual([])
    expect(await ids()).toEqual(idsOf(0, 6))
  })

  it('makes the table again when it is dropped', async () => {
    const sink = await open()
    await sink.write(contractBatch(rows(0, 3), 0))
    await server.run(`DROP TABLE ${table}`)
    expect(await sink.write(contractBatch(rows(3, 6), 3))).toEqual([])
    expect(await ids()).toEqual(idsOf(3, 6))
  })

  it('goes on when a column changes its type', async () => {
    const sink = await open()
    await sink.write(contractBatch(rows(0, 3), 0))
    await server.run(`ALTER TABLE ${table} MODIFY COLUMN amount Decimal(20, 4)`)
    await sink.write(contractBatch(rows(3, 6), 3))
    const amounts = await server.rows(`SELECT toString(amount) AS amount FROM ${table} WHERE id = 'r5'`)
    expect(amounts).toEqual([{ amount: '1.25' }])
  })

  it('keeps two sinks of an application apart that write the same source to the same table', async () => {
    const one = await open()
    const two = await clickhouse<string, ContractRow>({ table, mode: 'append', url: gateway.url }).open({
      ...context,
      node: 'second',
    })
    opened.push(two)
    await one.write(contractBatch(rows(0, 2)))
    await two.write(contractBatch(rows(2, 4)))
    await two.write(contractBatch(rows(2, 4)))
    expect(await ids()).toEqual(idsOf(0, 4))
  })
})
