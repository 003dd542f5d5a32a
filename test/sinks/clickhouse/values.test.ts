import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MillraceError } from '../../../src/errors.ts'
import type { AvroSchema } from '../../../src/serde/serde.ts'
import { type ClickHouseOptions, clickhouse } from '../../../src/sinks/clickhouse/index.ts'
import type { SinkContext } from '../../../src/sinks/sink.ts'
import { contractContext } from '../../../src/testing/contracts/sink-fixtures.ts'
import { type TestServer, testServer } from './server.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
}, 60_000)
afterAll(() => server.close())

type Value = Readonly<Record<string, unknown>>

/** Writes values with one schema, offsets from `firstOffset`, and closes. */
async function write(
  options: Omit<ClickHouseOptions<unknown, unknown>, 'url'>,
  schema: AvroSchema | undefined,
  values: readonly unknown[],
  firstOffset = 0,
  keys: readonly unknown[] = values.map(() => 'k'),
) {
  const { value, key, ...context } = contractContext(schema)
  const serdes: Partial<SinkContext> = schema === undefined ? {} : { value: value!, key: key! }
  const sink = await clickhouse({ mode: 'append', create: true, url: server.url, ...options }).open({
    ...context,
    ...serdes,
  })
  const refused = await sink.write({
    range: { topic: 't', partition: 0, firstOffset, lastOffset: firstOffset + values.length - 1 },
    keys,
    values,
    timestamps: values.map(() => 0),
    offsets: values.map((_, i) => firstOffset + i),
  })
  await sink.close()
  return refused
}
const record = (...fields: Value[]): AvroSchema => ({ type: 'record', name: 'R', fields })
const columnsOf = async (table: string) => {
  const found = await server.rows<{ name: string; type: string }>(
    `SELECT name, type FROM system.columns WHERE table = '${table}' ORDER BY position`,
  )
  return Object.fromEntries(found.map(({ name, type }) => [name, type]))
}
const logical = (type: string, logicalType: string, more: object = {}) => ({ type, logicalType, ...more })
const at = Date.UTC(2025, 5, 15, 12, 30, 0, 250)

describe('values of every Avro type', () => {
  const schema = record(
    { name: 'flag', type: 'boolean' },
    { name: 'int', type: 'int' },
    { name: 'long', type: 'long' },
    { name: 'float', type: 'float' },
    { name: 'double', type: 'double' },
    { name: 'bytes', type: 'bytes' },
    { name: 'text', type: 'string' },
    { name: 'status', type: { type: 'enum', name: 'Status', symbols: ['OPEN', 'DONE'] } },
    { name: 'code', type: { type: 'fixed', name: 'Code', size: 3 } },
    { name: 'id', type: logical('string', 'uuid') },
    { name: 'price', type: logical('bytes', 'decimal', { precision: 20, scale: 2 }) },
    { name: 'day', type: logical('int', 'date') },
    { name: 'ms', type: logical('long', 'timestamp-millis') },
    { name: 'us', type: logical('long', 'timestamp-micros') },
    { name: 'ns', type: logical('long', 'timestamp-nanos') },
    { name: 'local', type: logical('long', 'local-timestamp-micros') },
    { name: 'time', type: logical('int', 'time-millis') },
    { name: 'tags', type: { type: 'array', items: ['null', 'string'] } },
    { name: 'counts', type: { type: 'map', values: 'long' } },
    {
      name: 'place',
      type: record({ name: 'city', type: 'string' }, { name: 'since', type: logical('long', 'timestamp-micros') }),
    },
    { name: 'maybe', type: ['null', 'int'] },
    { name: 'maybeStatus', type: ['null', 'Status'] },
    { name: 'maybeTags', type: ['null', { type: 'array', items: 'string' }] },
    { name: 'number', type: ['int', 'double'] },
    { name: 'mixed', type: ['null', 'string', 'long', { type: 'array', items: 'long' }] },
    { name: 'tree', type: record({ name: 'leaf', type: 'string' }, { name: 'next', type: ['null', 'Tree'] }) },
  )
  // The last one refers to itself under a name of its own.
  const tree = (schema as { fields: { name: string; type: { name: string } }[] }).fields.at(-1)!
  tree.type = { ...tree.type, name: 'Tree' }
  const place = (schema as { fields: { name: string; type: { name: string } }[] }).fields.find(
    (f) => f.name === 'place',
  )!
  place.type = { ...place.type, name: 'Place' }

  const value = {
    flag: true,
    int: -(2 ** 31),
    long: 9007199254740993n,
    float: 1.5,
    double: Math.PI,
    bytes: Buffer.from([0, 255, 10, 10, 39]),
    text: "it's",
    status: 'DONE',
    code: Buffer.from('ab'),
    id: '7f0c2a4e-58a1-4c6e-9f6b-2b8f0f5b7c11',
    price: '-123456789012345678.90',
    day: -1,
    ms: at,
    us: at * 1000 + 7,
    ns: BigInt(at) * 1_000_000n + 9n,
    local: at * 1000 + 7,
    time: 1234,
    tags: ['a', null, 'ü'],
    counts: { a: 1, b: -1 },
    place: { city: 'Ulm', since: at * 1000 + 7 },
    maybe: 7,
    maybeStatus: 'OPEN',
    maybeTags: ['x'],
    number: 2.5,
    mixed: [1, 2],
    tree: { leaf: 'a', next: { leaf: 'b', next: null } },
  }

  it('have the columns of the mapping', async () => {
    await write({ table: 'every_type' }, schema, [value])
    expect(await columnsOf('every_type')).toEqual({
      flag: 'Bool',
      int: 'Int32',
      long: 'Int64',
      float: 'Float32',
      double: 'Float64',
      bytes: 'String',
      text: 'String',
      status: 'LowCardinality(String)',
      code: 'FixedString(3)',
      id: 'UUID',
      price: 'Decimal(20, 2)',
      day: 'Date32',
      ms: "DateTime64(3, 'UTC')",
      us: "DateTime64(6, 'UTC')",
      ns: "DateTime64(9, 'UTC')",
      local: "DateTime64(6, 'UTC')",
      time: 'Int32',
      tags: 'Array(Nullable(String))',
      counts: 'Map(String, Int64)',
      place: "Tuple(city String, since DateTime64(6, 'UTC'))",
      maybe: 'Nullable(Int32)',
      maybeStatus: 'LowCardinality(Nullable(String))',
      maybeTags: 'Array(String)',
      number: 'Float64',
      mixed: 'Nullable(String)',
      tree: 'String',
    })
    const [row] = await server.rows('SELECT * REPLACE (hex(bytes) AS bytes, toString(price) AS price) FROM every_type')
    expect(row).toEqual({
      ...value,
      long: '9007199254740993',
      bytes: '00FF0A0A27',
      code: 'ab\u0000',
      day: '1969-12-31',
      price: '-123456789012345678.9',
      ms: '2025-06-15 12:30:00.250',
      us: '2025-06-15 12:30:00.250007',
      ns: '2025-06-15 12:30:00.250000009',
      local: '2025-06-15 12:30:00.250007',
      counts: { a: '1', b: '-1' },
      place: { city: 'Ulm', since: '2025-06-15 12:30:00.250007' },
      mixed: '[1,2]',
      tree: '{"leaf":"a","next":{"leaf":"b","next":null}}',
    })
  })

  it('are empty where they are null', async () => {
    const nulls = { ...value, maybe: null, maybeStatus: null, maybeTags: null, mixed: null }
    await write({ table: 'nulls' }, schema, [nulls, value])
    const rows = await server.rows('SELECT maybe, maybeStatus, maybeTags, mixed FROM nulls ORDER BY maybe NULLS FIRST')
    expect(rows[0]).toEqual({ maybe: null, maybeStatus: null, maybeTags: [], mixed: null })
  })
})

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
    expect(await write({ table: 'own', create: false }, undefined, [row])).toEqual([])
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
    const refused = await write({ table: 'narrow', create: false }, undefined, rows)
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
    expect(await write({ table: 'defaults', mode: 'upsert', create: false }, undefined, [full, { id: 2 }])).toEqual([])
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
    const sink = await clickhouse<unknown, Value>({ table: 'strict', mode: 'append', url: server.url }).open({
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

describe('rows without a schema', () => {
  it('make the table from what they are, and add columns when a field is first there', async () => {
    await write({ table: 'inferred' }, undefined, [
      { id: 'a', amount: 1, empty: null },
      { id: 'b', amount: 1.5, tags: ['x'], at: new Date(at) },
    ])
    await write({ table: 'inferred' }, undefined, [{ id: 'c', empty: 'no longer', more: { deep: 1n } }], 2)
    expect(await columnsOf('inferred')).toEqual({
      id: 'Nullable(String)',
      amount: 'Nullable(Float64)',
      tags: 'Array(String)',
      at: "Nullable(DateTime64(3, 'UTC'))",
      empty: 'Nullable(String)',
      more: 'Nullable(String)',
    })
    const rows = await server.rows('SELECT id, empty, more FROM inferred ORDER BY id')
    expect(rows).toEqual([
      { id: 'a', empty: null, more: null },
      { id: 'b', empty: null, more: null },
      { id: 'c', empty: 'no longer', more: '{"deep":"1"}' },
    ])
  })

  it('may be made by a function, with types of their own', async () => {
    const columns = (key: unknown, value: unknown, { topic, partition, offset, timestamp }: Value) => {
      if (value === 'bad') throw new Error('not this one')
      return { name: `${key}:${value}`, topic, partition, offset, timestamp }
    }
    const types = { offset: 'UInt64', timestamp: 'DateTime64(3)', topic: 'LowCardinality(String)' }
    const options = { table: 'mapped', columns, types, orderBy: ['topic', 'offset'] }
    const refused = await write(options as never, undefined, ['a', 'bad', 'b'], 5)
    expect(refused.map(({ index, error }) => [index, error.code])).toEqual([[1, 'OPERATOR_FAILED']])
    expect(await server.rows('SELECT name, offset FROM mapped ORDER BY offset')).toEqual([
      { name: 'k:a', offset: '5' },
      { name: 'k:b', offset: '7' },
    ])
    expect(await columnsOf('mapped')).toMatchObject({ offset: 'UInt64', topic: 'LowCardinality(String)' })
  })

  it('have one column when they are no objects', async () => {
    await write({ table: 'plain' }, undefined, ['a', 'b'])
    expect(await server.rows('SELECT * FROM plain ORDER BY value')).toEqual([{ value: 'a' }, { value: 'b' }])
  })
})

describe('keys', () => {
  const windowedKey = (key: unknown, start: number, end = start + 60_000) => ({ key, window: { start, end } })
  const upsert = { mode: 'upsert' } as const

  it('of windows become columns, one row per key and window', async () => {
    const keys = [windowedKey('a', at), windowedKey('a', at + 60_000), windowedKey('b', at), windowedKey('a', at)]
    const values = [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]
    await write({ table: 'windows', ...upsert }, undefined, values, 0, keys)
    expect(await server.rows('SELECT * EXCEPT (_version, _deleted) FROM windows FINAL ORDER BY ALL')).toEqual([
      { key: 'a', window_start: '2025-06-15 12:30:00.250', window_end: '2025-06-15 12:31:00.250', n: 4 },
      { key: 'a', window_start: '2025-06-15 12:31:00.250', window_end: '2025-06-15 12:32:00.250', n: 2 },
      { key: 'b', window_start: '2025-06-15 12:30:00.250', window_end: '2025-06-15 12:31:00.250', n: 3 },
    ])
    await write({ table: 'windows', ...upsert }, undefined, [null], 10, [windowedKey('b', at)])
    expect((await server.rows("SELECT * FROM windows FINAL WHERE key = 'b'")).length).toBe(0)
  })

  it('of windows without end, and of sessions that grow', async () => {
    const keys = [windowedKey({ user: 7 }, 0, Number.POSITIVE_INFINITY), windowedKey({ user: 8 }, at, at + 1)]
    await write({ table: 'endless', ...upsert }, undefined, [{ n: 1 }, { n: 1 }], 0, keys)
    const grown = [windowedKey({ user: 8 }, at, at + 1), windowedKey({ user: 8 }, at, at + 5)]
    await write({ table: 'endless', ...upsert }, undefined, [null, { n: 2 }], 2, grown)
    expect(await server.rows('SELECT user, n, window_end FROM endless FINAL ORDER BY user')).toEqual([
      { user: '7', n: 1, window_end: '2299-12-31 23:59:59.999' },
      { user: '8', n: 2, window_end: '2025-06-15 12:30:00.255' },
    ])
  })

  it('may be named, or taken apart by a function', async () => {
    await write({ table: 'named', ...upsert, key: 'user_id' }, undefined, [{ n: 1 }], 0, ['u1'])
    expect(Object.keys(await columnsOf('named'))).toEqual(['user_id', 'n', '_version', '_deleted'])
    const key = (text: unknown) => ({ tenant: String(text).split('/')[0], user: String(text).split('/')[1] })
    await write({ table: 'apart', ...upsert, key }, undefined, [{ n: 1 }, { n: 2 }, { n: 3 }], 0, ['a/1', 'a/2', 'a/1'])
    expect(await server.rows('SELECT tenant, user, n FROM apart FINAL ORDER BY ALL')).toEqual([
      { tenant: 'a', user: '1', n: 3 },
      { tenant: 'a', user: '2', n: 2 },
    ])
  })

  it('are needed for an upsert, in every column', async () => {
    const refused = await write({ table: 'keyless', ...upsert }, undefined, [{ n: 1 }, { n: 2 }, { n: 3 }], 0, [
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
    expect(await columnsOf('record_key')).toMatchObject({ user: 'String', amount: 'Float64', _version: 'UInt64' })
    await sink.close()
  })

  it('that delete are refused where the table cannot forget', async () => {
    await server.run('CREATE TABLE keeps (key String, n Int32, v UInt64) ENGINE = ReplacingMergeTree(v) ORDER BY key')
    const refused = await write({ table: 'keeps', ...upsert, create: false }, undefined, [{ n: 1 }, null], 0, [
      'a',
      'a',
    ])
    expect(refused.map(({ index }) => index)).toEqual([1])
    expect(await server.rows('SELECT key, n, v FROM keeps FINAL')).toEqual([{ key: 'a', n: 1, v: '0' }])
  })
})

describe('schemas that evolve', () => {
  it('add columns whose default old rows read, and widen what became wider', async () => {
    const v1 = record({ name: 'id', type: 'int' }, { name: 'score', type: 'float' }, { name: 'note', type: 'string' })
    const v2 = record(
      { name: 'id', type: 'long' },
      { name: 'score', type: 'double' },
      { name: 'note', type: ['null', 'string'], default: null },
      { name: 'coupon', type: ['string', 'null'], default: "it's \\ none" },
      { name: 'level', type: { type: 'enum', name: 'L', symbols: ['LOW', 'HIGH'] }, default: 'LOW' },
      { name: 'at', type: logical('long', 'timestamp-millis'), default: at },
      { name: 'tags', type: { type: 'array', items: 'string' }, default: ['new'] },
      { name: 'blob', type: 'bytes', default: '\u00ff\u0001' },
    )
    await write({ table: 'evolving' }, v1, [{ id: 1, score: 0.5, note: 'old' }])
    const full = { coupon: 'yes', level: 'HIGH', at: 0, tags: [], blob: Buffer.from('b') }
    const values = [
      { id: 2 ** 40, score: 0.1, note: null, ...full },
      { id: 3, score: 1, note: 'from an old writer' },
    ]
    await write({ table: 'evolving' }, v2, values, 1)
    expect(await server.rows('SELECT * REPLACE (hex(blob) AS blob) FROM evolving ORDER BY score')).toEqual([
      { id: '1099511627776', score: 0.1, note: null, ...full, at: '1970-01-01 00:00:00.000', blob: '62' },
      ...[
        { id: '1', score: 0.5, note: 'old' },
        { id: '3', score: 1, note: 'from an old writer' },
      ].map((row) => ({
        ...row,
        coupon: "it's \\ none",
        level: 'LOW',
        at: '2025-06-15 12:30:00.250',
        tags: ['new'],
        blob: 'FF01',
      })),
    ])
  })

  it('never drop or narrow', async () => {
    const wide = record({ name: 'id', type: 'long' }, { name: 'gone', type: ['null', 'string'], default: null })
    const narrow = record({ name: 'id', type: 'int' })
    await write({ table: 'narrowing' }, wide, [{ id: 1, gone: 'kept' }])
    await write({ table: 'narrowing' }, narrow, [{ id: 2 }], 1)
    expect(await columnsOf('narrowing')).toEqual({ id: 'Int64', gone: 'Nullable(String)' })
  })

  it('do not make several instances get in each other’s way', async () => {
    const v2 = record({ name: 'id', type: 'int' }, { name: 'more', type: 'string', default: 'x' })
    const writers = Array.from({ length: 4 }, (_, i) => write({ table: 'together' }, v2, [{ id: i, more: 'y' }], i))
    expect((await Promise.all(writers)).flat()).toEqual([] satisfies MillraceError[])
    expect((await server.rows('SELECT * FROM together')).length).toBe(4)
  })
})
