import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestServer, testServer } from './server.ts'
import { at, logical, record, write } from './write.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
}, 60_000)
afterAll(() => server.close())

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
    await write(server, { table: 'every_type' }, schema, [value])
    expect(await server.columns('every_type')).toEqual({
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
    await write(server, { table: 'nulls' }, schema, [nulls, value])
    const rows = await server.rows('SELECT maybe, maybeStatus, maybeTags, mixed FROM nulls ORDER BY maybe NULLS FIRST')
    expect(rows[0]).toEqual({ maybe: null, maybeStatus: null, maybeTags: [], mixed: null })
  })
})

describe('rows without a schema', () => {
  it('make the table from what they are, and add columns when a field is first there', async () => {
    await write(server, { table: 'inferred' }, undefined, [
      { id: 'a', amount: 1, empty: null },
      { id: 'b', amount: 1.5, tags: ['x'], at: new Date(at) },
    ])
    await write(server, { table: 'inferred' }, undefined, [{ id: 'c', empty: 'no longer', more: { deep: 1n } }], 2)
    expect(await server.columns('inferred')).toEqual({
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
    const columns = (
      key: unknown,
      value: unknown,
      { topic, partition, offset, timestamp }: Readonly<Record<string, unknown>>,
    ) => {
      if (value === 'bad') throw new Error('not this one')
      return { name: `${key}:${value}`, topic, partition, offset, timestamp }
    }
    const types = { offset: 'UInt64', timestamp: 'DateTime64(3)', topic: 'LowCardinality(String)' }
    const options = { table: 'mapped', columns, types, orderBy: ['topic', 'offset'] }
    const refused = await write(server, options as never, undefined, ['a', 'bad', 'b'], 5)
    expect(refused.map(({ index, error }) => [index, error.code])).toEqual([[1, 'OPERATOR_FAILED']])
    expect(await server.rows('SELECT name, offset FROM mapped ORDER BY offset')).toEqual([
      { name: 'k:a', offset: '5' },
      { name: 'k:b', offset: '7' },
    ])
    expect(await server.columns('mapped')).toMatchObject({ offset: 'UInt64', topic: 'LowCardinality(String)' })
  })

  it('have one column when they are no objects', async () => {
    await write(server, { table: 'plain' }, undefined, ['a', 'b'])
    expect(await server.rows('SELECT * FROM plain ORDER BY value')).toEqual([{ value: 'a' }, { value: 'b' }])
  })
})
