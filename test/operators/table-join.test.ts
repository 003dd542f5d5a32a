import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  filter,
  join,
  json,
  leftJoin,
  long,
  outerJoin,
  stream,
  string,
  type Table,
  table,
  to,
  topology,
  toStream,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

const serdes = { key: string(), value: json<number>() }
const read = (topic: string, store = topic) => table(topic, { ...serdes, store })
const text = (l: number | null, r: number | null) => `${l}&${r}`
const ending = (of: Table<string, string>) => of.pipe(toStream(), to('out', { key: string(), value: json<string>() }))
const seen = (driver: TopologyDriver) =>
  driver.read<string, string | null>('out').map(({ key, value, timestamp }) => [key, value, timestamp])

describe('join of tables', () => {
  it('of a table with itself gives each change once', () => {
    const self = read('a')
    const driver = new TopologyDriver(topology('t', [ending(self.pipe(join('self', self, text)))]))
    driver.pipe('a', 'k', 1, 1)
    driver.pipe('a', 'k', 2, 2)
    driver.pipe('a', 'k', null, 3)
    expect(seen(driver)).toEqual([
      ['k', '1&1', 1],
      ['k', '2&2', 2],
      ['k', null, 3],
    ])
  })

  it('of two tables of one topic sees both', () => {
    const driver = new TopologyDriver(
      topology('t', [ending(read('a').pipe(outerJoin('both', read('a', 'b').pipe(filter((n) => n > 1)), text)))]),
    )
    driver.pipe('a', 'k', 1, 1)
    driver.pipe('a', 'k', 2, 2)
    expect(seen(driver).at(-1)).toEqual(['k', '2&2', 2])
  })

  it('refuses keys that are written differently', () => {
    const odd = table('b', { key: json<string>(), value: json<number>(), store: 'b' })
    const build = () => new TopologyDriver(topology('t', [ending(read('a').pipe(join('both', odd, text)))]))
    expect(build).toThrow(/different partitions/)
  })

  it('does not compile over different keys', () => {
    const numbered = table('b', { key: long(), value: json<number>(), store: 'b' })
    // @ts-expect-error string and number keys never meet
    read('a').pipe(join('both', numbered, text))
    // @ts-expect-error a stream is no table
    const mixed = () => read('a').pipe(outerJoin('both', stream('b', serdes), text))
    expect(mixed).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(numbered.store).toBe('b')
  })
})

const update = fc.record({
  topic: fc.constantFrom('a', 'b', 'c'),
  key: fc.constantFrom('k', 'l'),
  value: fc.option(fc.nat(5), { nil: null }),
  next: fc.constantFrom('nothing', 'nothing', 'commit', 'restart'),
})

describe.each(['update', 'commit'] as const)('joins of tables, emitting per %s', (emit) => {
  const [a, b, c] = [read('a'), read('b').pipe(filter((n) => n > 0)), read('c')]
  const joins = {
    join: a.pipe(
      join('ab', b, text),
      join('abc', c, (l, r) => `${l}&${r}`),
    ),
    leftJoin: a.pipe(
      leftJoin('ab', b, text),
      leftJoin('abc', c, (l, r) => `${l}&${r}`),
    ),
    outerJoin: a.pipe(
      outerJoin('ab', b, text),
      outerJoin('abc', c, (l, r) => `${l}&${r}`),
    ),
  }
  it.each(['join', 'leftJoin', 'outerJoin'] as const)('%s: equal a plain model at every commit', (kind) => {
    const joined = topology('joined', [ending(joins[kind].pipe(filter((value) => !value.includes('3'))))])
    fc.assert(
      fc.property(fc.array(update, { maxLength: 30 }), (updates) => {
        const driver = new TopologyDriver(joined, { emit })
        const tables: Record<string, Map<string, number>> = { a: new Map(), b: new Map(), c: new Map() }
        const expected = () => {
          const rows = new Map<string, string>()
          for (const key of ['k', 'l']) {
            const [x, z] = [tables.a.get(key) ?? null, tables.c.get(key) ?? null]
            const y = tables.b.get(key) || null
            const left = { join: x !== null && y !== null, leftJoin: x !== null, outerJoin: x !== null || y !== null }
            const first = left[kind] ? text(x, y) : null
            const both = {
              join: first !== null && z !== null,
              leftJoin: first !== null,
              outerJoin: first !== null || z !== null,
            }
            const value = `${first}&${z}`
            if (both[kind] && !value.includes('3')) rows.set(key, value)
          }
          return rows
        }
        const view = new Map<unknown, unknown>()
        updates.forEach(({ topic, key, value, next }, i) => {
          driver.pipe(topic, key, value, i)
          if (value === null) tables[topic].delete(key)
          else tables[topic].set(key, value)
          if (next === 'nothing') return
          driver.commit()
          for (const [key, value] of seen(driver)) {
            // A deletion comes only where there was a result.
            if (value === null) expect(view.delete(key)).toBe(true)
            else view.set(key, value)
          }
          expect(view).toEqual(expected())
          if (next === 'restart') driver.restart()
        })
      }),
      { numRuns: 200 },
    )
  })
})
