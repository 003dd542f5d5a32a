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

describe('a table that is there already', () => {
  it('is written with its own types', async () => {
    await server.run(`CREATE TABLE own (
      id UInt64, status Enum8('OPEN' = 1, 'DONE' = 2), ip IPv4, seen DateTime('UTC'), day Date, big Int256,
      amount Decimal(18, 4), body JSON, total SimpleAggregateFunction(sum, Float64), pairs Array(Tuple(UInt8, String)),
      made DateTime64(6, 'UTC') DEFAULT seen, upper String MATERIALIZED upper(name), name LowCardinality(String) DEFAULT 'none'
    ) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100`)
    const row = {
      id: '18446744073709551615',
      status: 2,
      ip: '1.2.3.4',
      seen: new Date(at),
      day: '2025-06-15',
      big: -(2n ** 200n),
      amount: 0.1,
      body: { a: { b: [1, 2] } },
      total: 3,
      pairs: [[1, 'a']],
      made: '2025-06-15T12:30:00.250Z',
      upper: 'left out',
      name: null,
    }
    expect(await write(server, { table: 'own', create: false }, undefined, [row])).toEqual([])
    expect(
      await server.rows('SELECT * REPLACE (toString(amount) AS amount, toString(big) AS big), upper FROM own'),
    ).toEqual([
      {
        ...row,
        status: 'DONE',
        seen: '2025-06-15 12:30:00',
        big: String(-(2n ** 200n)),
        amount: '0.1',
        body: { a: { b: ['1', '2'] } },
        made: '2025-06-15 12:30:00.250000',
        upper: 'NONE',
        name: 'none',
      },
    ])
  })

  it('refuses what its types cannot hold, by row and column', async () => {
    await server.run(`CREATE TABLE narrow (id UInt8, ip IPv4) ENGINE = MergeTree ORDER BY id
      SETTINGS non_replicated_deduplication_window = 100`)
    const rows = [{ id: 1 }, { id: 300 }, { id: 2, ip: 'nowhere' }, { id: 3, ip: '::1' }, { id: 4, ip: '1.1.1.1' }]
    const refused = await write(server, { table: 'narrow', create: false }, undefined, rows)
    expect(refused.map(({ index }) => index)).toEqual([1, 2, 3])
    expect(refused.map(({ error }) => /column "?(\w+)"?/.exec(error.message)?.[1])).toEqual(['id', 'ip', 'ip'])
    expect(await server.rows('SELECT id FROM narrow ORDER BY id')).toEqual([{ id: 1 }, { id: 4 }])
  })

  it('has its own defaults where there is no value, whatever the type', async () => {
    await server.run(`CREATE TABLE defaults (
      id UInt8, ip IPv4, ip6 IPv6, body JSON, big Int128 DEFAULT 7, uuid UUID DEFAULT '7f0c2a4e-58a1-4c6e-9f6b-2b8f0f5b7c11',
      price Decimal(30, 2) DEFAULT id, level Enum16('LOW' = 300, 'HIGH' = -5) DEFAULT 'HIGH', code FixedString(2),
      day Date DEFAULT '2025-01-02', flag Bool DEFAULT true, list Array(UInt8), pair Tuple(a UInt8, b String),
      text String DEFAULT concat('t', toString(id)), maybe6 Nullable(IPv6), maybeUuid Nullable(UUID),
      version UInt64
    ) ENGINE = ReplacingMergeTree(version) ORDER BY id`)
    const uuid = '00112233-4455-6677-8899-aabbccddeeff'
    const row = { ip: '1.2.3.4', ip6: '::1', body: { a: 1 }, big: '-1', uuid, price: '1.5', level: 'LOW', code: 'ab' }
    const more = {
      day: '2025-06-15',
      flag: false,
      list: [1],
      pair: { a: 1, b: 'x' },
      text: 'x',
      maybe6: '::2',
      maybeUuid: uuid,
    }
    const full = { id: 1, ...row, ...more }
    expect(
      await write(server, { table: 'defaults', mode: 'upsert', create: false }, undefined, [full, { id: 2 }]),
    ).toEqual([])
    expect(
      await server.rows('SELECT * EXCEPT version REPLACE (toString(price) AS price) FROM defaults ORDER BY id'),
    ).toEqual([
      { ...full, body: { a: '1' } },
      {
        id: 2,
        ip: '0.0.0.0',
        ip6: '::',
        body: {},
        big: '7',
        uuid: '7f0c2a4e-58a1-4c6e-9f6b-2b8f0f5b7c11',
        price: '2',
        level: 'HIGH',
        code: '\u0000\u0000',
        day: '2025-01-02',
        flag: true,
        list: [],
        pair: { a: 0, b: '' },
        text: 't2',
        maybe6: null,
        maybeUuid: null,
      },
    ])
  })

  it('is not given columns that it was not asked to get', async () => {
    await server.run(`CREATE TABLE strict (id UInt8) ENGINE = MergeTree ORDER BY id
      SETTINGS non_replicated_deduplication_window = 100`)
    const logged: string[] = []
    const sink = await clickhouse<unknown, Readonly<Record<string, unknown>>>({
      table: 'strict',
      mode: 'append',
      url: server.url,
    }).open({
      ...contractContext(record({ name: 'id', type: 'int' }, { name: 'more', type: 'string' })),
      log: (level, message) => void (level === 'warn' && logged.push(message)),
    })
    for (const offset of [0, 1]) {
      await sink.write({
        range: { topic: 't', partition: 0, firstOffset: offset, lastOffset: offset },
        keys: ['k'],
        values: [{ id: offset, more: 'left out' }],
        timestamps: [0],
        offsets: [offset],
      })
    }
    await sink.close()
    expect(await server.rows('SELECT * FROM strict ORDER BY id')).toEqual([{ id: 0 }, { id: 1 }])
    expect(logged.length).toBe(1)
    expect(logged[0]).toContain('more')
  })
})
