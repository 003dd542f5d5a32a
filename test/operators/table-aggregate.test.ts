import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  aggregate,
  avro,
  count,
  groupBy,
  groupByKey,
  join,
  json,
  max,
  nullable,
  reduce,
  selectKey,
  stream,
  string,
  sum,
  type Table,
  table,
  to,
  topology,
  toStream,
  toTable,
  tumbling,
  windowedBy,
} from '../../src/index.ts'
import { ByteWriter, byteSource } from '../../src/serde/bytes.ts'
import { changed } from '../../src/serde/changed.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

type Row = { group: string | null; amount: number }
const rows = table('rows', { key: string(), value: json<Row>(), store: 'rows' })
const ending = <V>(of: Table<string, V>) => of.pipe(toStream(), to('out', { key: string(), value: json() }))
const seen = (driver: TopologyDriver) => driver.read('out').map(({ key, value, timestamp }) => [key, value, timestamp])

describe('aggregation of a table', () => {
  const totals = rows.pipe(
    groupBy((row) => row.group),
    aggregate('totals', { rows: count(), amount: sum((row) => row.amount) }),
  )

  it('takes a row out of its old group before it puts it into the new one', () => {
    const driver = new TopologyDriver(topology('t', [ending(totals)]))
    driver.pipe('rows', 'a', { group: 'x', amount: 3 }, 1)
    driver.pipe('rows', 'a', { group: 'x', amount: 4 }, 2)
    driver.pipe('rows', 'a', { group: 'y', amount: 5 }, 3)
    driver.pipe('rows', 'a', { group: null, amount: 5 }, 4)
    driver.pipe('rows', 'a', null, 5)
    expect(seen(driver)).toEqual([
      ['x', { rows: 1, amount: 3 }, 1],
      ['x', { rows: 1, amount: 4 }, 2],
      ['x', { rows: 0, amount: 0 }, 3],
      ['y', { rows: 1, amount: 5 }, 3],
      ['y', { rows: 0, amount: 0 }, 4],
    ])
    expect(driver.dropped).toBe(0)
  })

  it('is refused where a value cannot be taken out, or with windows', () => {
    const grouped = rows.pipe(groupBy((row) => row.group))
    const build = (of: Table<string, unknown>) => () => new TopologyDriver(topology('t', [ending(of)]))
    expect(build(grouped.pipe(aggregate('m', { most: max((row) => row.amount) })))).toThrow(/take a value out/)
    expect(build(grouped.pipe(reduce('r', (a) => a)))).toThrow(/take a value out/)
    const windowed = grouped.pipe(windowedBy(tumbling(10)), count('c')) as Table<never, number>
    expect(build(windowed)).toThrow(/no windows/)
  })

  const update = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    value: fc.option(fc.record({ group: fc.constantFrom('x', 'y', null), amount: fc.nat(9) }), { nil: null }),
    next: fc.constantFrom('nothing', 'nothing', 'commit', 'restart'),
  })
  it.each(['update', 'commit'] as const)('equals a plain model at every commit, emitting per %s', (emit) => {
    const sums = rows.pipe(
      groupBy((row) => row.group, { project: (row) => row.amount }),
      reduce('sums', (a, b) => a + b, { remove: (a, b) => a - b }),
    )
    const both = topology('t', [ending(totals.pipe(join('both', sums, (total, check) => ({ ...total, check }))))])
    fc.assert(
      fc.property(fc.array(update, { maxLength: 30 }), fc.constantFrom(1, 3), (updates, partitions) => {
        const driver = new TopologyDriver(both, { emit, partitions })
        const model = new Map<string, Row>()
        const view = new Map<unknown, unknown>()
        const groups = new Set<string>()
        updates.forEach(({ key, value, next }, i) => {
          driver.pipe('rows', key, value, i)
          if (value) model.set(key, value)
          else model.delete(key)
          if (value?.group) groups.add(value.group)
          if (next === 'nothing') return
          driver.commit()
          for (const [group, total] of seen(driver)) view.set(group, total)
          for (const [group, total] of view) {
            const members = [...model.values()].filter((row) => row.group === group)
            const amount = members.reduce((all, row) => all + row.amount, 0)
            expect(total).toEqual({ rows: members.length, amount, check: amount })
          }
          if (emit === 'update') expect(new Set(view.keys())).toEqual(groups)
          if (next === 'restart') driver.restart()
        })
      }),
      { numRuns: 200 },
    )
  })
})

describe('toTable', () => {
  it('keeps the latest value per key, repartitioned after a new key', () => {
    const latest = stream('in', { key: nullable(string()), value: nullable(json<Row>()) }).pipe(
      selectKey((row, key) => row?.group ?? key),
      toTable('latest'),
    )
    const driver = new TopologyDriver(topology('t', [ending(latest)]))
    driver.pipe('in', 'k', { group: 'x', amount: 1 }, 2)
    driver.pipe('in', null, { group: 'x', amount: 2 }, 1)
    driver.pipe('in', 'x', null, 3)
    driver.pipe('in', null, null, 4)
    expect(seen(driver)).toEqual([
      ['x', { group: 'x', amount: 1 }, 2],
      ['x', { group: 'x', amount: 2 }, 1],
      ['x', null, 3],
    ])
    expect(driver.plan.subtopologies.length).toBe(2)
  })

  it('counts rows as an aggregation of a table does', () => {
    const counted = stream('in', { key: string(), value: json<Row>() }).pipe(
      toTable('latest'),
      groupBy((row) => row.group),
      count('per-group'),
    )
    const driver = new TopologyDriver(topology('t', [ending(counted)]))
    driver.pipe('in', 'k', { group: 'x', amount: 1 }, 2)
    driver.pipe('in', 'k', { group: 'y', amount: 1 }, 3)
    expect(seen(driver).at(-1)).toEqual(['y', 1, 3])
    expect(stream('in', { key: string(), value: json<Row>() }).pipe(groupByKey()).changes).toBe(false)
  })
})

describe('changes on a repartition topic', () => {
  it('come back as they were, old and new values alike', () => {
    const codec = changed(json<unknown>()).open({ topic: 't', part: 'value' })
    const value = fc.option(fc.oneof(fc.string(), fc.nat()), { nil: null })
    fc.assert(
      fc.property(value, value, (old, now) => {
        fc.pre(old !== null || now !== null)
        const out = new ByteWriter(1)
        out.uint8(7)
        codec.encode({ old, now }, out)
        expect(codec.decode(byteSource(out.bytes()), 1, out.position)).toEqual({ old, now })
      }),
    )
    expect(changed(avro({ type: 'string' })).format).toMatch(/^change\(avro/)
  })
})
