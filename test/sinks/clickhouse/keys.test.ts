import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clickhouse } from '../../../src/sinks/clickhouse/index.ts'
import { contractContext } from '../../../src/testing/contracts/sink-fixtures.ts'
import { type TestServer, testServer } from './server.ts'
import { at, record, write } from './write.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
}, 60_000)
afterAll(() => server.close())

describe('keys', () => {
  const windowedKey = (key: unknown, start: number, end = start + 60_000) => ({ key, window: { start, end } })
  const upsert = { mode: 'upsert' } as const

  it('of windows become columns, one row per key and window', async () => {
    const keys = [windowedKey('a', at), windowedKey('a', at + 60_000), windowedKey('b', at), windowedKey('a', at)]
    const values = [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]
    await write(server, { table: 'windows', ...upsert }, undefined, values, 0, keys)
    expect(await server.rows('SELECT * EXCEPT (_version, _deleted) FROM windows FINAL ORDER BY ALL')).toEqual([
      { key: 'a', window_start: '2025-06-15 12:30:00.250', window_end: '2025-06-15 12:31:00.250', n: 4 },
      { key: 'a', window_start: '2025-06-15 12:31:00.250', window_end: '2025-06-15 12:32:00.250', n: 2 },
      { key: 'b', window_start: '2025-06-15 12:30:00.250', window_end: '2025-06-15 12:31:00.250', n: 3 },
    ])
    await write(server, { table: 'windows', ...upsert }, undefined, [null], 10, [windowedKey('b', at)])
    expect((await server.rows("SELECT * FROM windows FINAL WHERE key = 'b'")).length).toBe(0)
  })

  it('of windows without end, and of sessions that grow', async () => {
    const keys = [windowedKey({ user: 7 }, 0, Number.POSITIVE_INFINITY), windowedKey({ user: 8 }, at, at + 1)]
    await write(server, { table: 'endless', ...upsert }, undefined, [{ n: 1 }, { n: 1 }], 0, keys)
    const grown = [windowedKey({ user: 8 }, at, at + 1), windowedKey({ user: 8 }, at, at + 5)]
    await write(server, { table: 'endless', ...upsert }, undefined, [null, { n: 2 }], 2, grown)
    expect(await server.rows('SELECT user, n, window_end FROM endless FINAL ORDER BY user')).toEqual([
      { user: '7', n: 1, window_end: '2299-12-31 23:59:59.999' },
      { user: '8', n: 2, window_end: '2025-06-15 12:30:00.255' },
    ])
  })

  it('may be named, or taken apart by a function', async () => {
    await write(server, { table: 'named', ...upsert, key: 'user_id' }, undefined, [{ n: 1 }], 0, ['u1'])
    expect(Object.keys(await server.columns('named'))).toEqual(['user_id', 'n', '_version', '_deleted'])
    const key = (text: unknown) => ({ tenant: String(text).split('/')[0], user: String(text).split('/')[1] })
    await write(server, { table: 'apart', ...upsert, key }, undefined, [{ n: 1 }, { n: 2 }, { n: 3 }], 0, [
      'a/1',
      'a/2',
      'a/1',
    ])
    expect(await server.rows('SELECT tenant, user, n FROM apart FINAL ORDER BY ALL')).toEqual([
      { tenant: 'a', user: '1', n: 3 },
      { tenant: 'a', user: '2', n: 2 },
    ])
  })

  it('are needed for an upsert, in every column', async () => {
    const refused = await write(server, { table: 'keyless', ...upsert }, undefined, [{ n: 1 }, { n: 2 }, { n: 3 }], 0, [
      null,
      { a: 'x', b: 'y' },
      { a: 'x', b: null },
    ])
    expect(refused.map(({ index }) => index)).toEqual([0, 2])
    expect(await server.rows('SELECT a, b, n FROM keyless')).toEqual([{ a: 'x', b: 'y', n: 2 }])
  })

  it('of a record schema become its fields', async () => {
    const { value, ...context } = contractContext()
    const key = { ...context.key!, format: 'avro(K)', schema: record({ name: 'user', type: ['null', 'string'] }) }
    const sink = await clickhouse({ table: 'record_key', create: true, url: server.url }).open({
      ...context,
      key,
      value: value!,
    })
    expect(await server.columns('record_key')).toMatchObject({ user: 'String', amount: 'Float64', _version: 'UInt64' })
    await sink.close()
  })

  it('that delete are refused where the table cannot forget', async () => {
    await server.run('CREATE TABLE keeps (key String, n Int32, v UInt64) ENGINE = ReplacingMergeTree(v) ORDER BY key')
    const refused = await write(server, { table: 'keeps', ...upsert, create: false }, undefined, [{ n: 1 }, null], 0, [
      'a',
      'a',
    ])
    expect(refused.map(({ index }) => index)).toEqual([1])
    expect(await server.rows('SELECT key, n, v FROM keeps FINAL')).toEqual([{ key: 'a', n: 1, v: '0' }])
  })
})
