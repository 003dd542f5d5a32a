import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MillraceError } from '../../../src/errors.ts'
import { type TestServer, testServer } from './server.ts'
import { at, logical, record, write } from './write.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
}, 60_000)
afterAll(() => server.close())

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
    await write(server, { table: 'evolving' }, v1, [{ id: 1, score: 0.5, note: 'old' }])
    const full = { coupon: 'yes', level: 'HIGH', at: 0, tags: [], blob: Buffer.from('b') }
    const values = [
      { id: 2 ** 40, score: 0.1, note: null, ...full },
      { id: 3, score: 1, note: 'from an old writer' },
    ]
    await write(server, { table: 'evolving' }, v2, values, 1)
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
    await write(server, { table: 'narrowing' }, wide, [{ id: 1, gone: 'kept' }])
    await write(server, { table: 'narrowing' }, narrow, [{ id: 2 }], 1)
    expect(await server.columns('narrowing')).toEqual({ id: 'Int64', gone: 'Nullable(String)' })
  })

  it('do not make several instances get in each other’s way', async () => {
    const v2 = record({ name: 'id', type: 'int' }, { name: 'more', type: 'string', default: 'x' })
    const writers = Array.from({ length: 4 }, (_, i) =>
      write(server, { table: 'together' }, v2, [{ id: i, more: 'y' }], i),
    )
    expect((await Promise.all(writers)).flat()).toEqual([] satisfies MillraceError[])
    expect((await server.rows('SELECT * FROM together')).length).toBe(4)
  })
})
