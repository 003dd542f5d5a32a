import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  count,
  groupBy,
  groupByKey,
  join,
  json,
  keyValueStore,
  long,
  merge,
  outerJoin,
  plan,
  process,
  repartition,
  selectKey,
  stream,
  string,
  to,
  topology,
  toStream,
  within,
} from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { checkReplays, TopologyDriver } from '../../src/testing/index.ts'
import { partitionCounts } from '../../src/topology/partitions.ts'
import { readRecords, writeRecords } from '../support/records.ts'

interface Order {
  readonly id: string
  readonly customer: string
}
const orders = stream('orders', { key: string(), value: json<Order>() })
const byCustomer = selectKey((order: Order) => order.customer)
const moved = orders.pipe(byCustomer)

const direct = orders.pipe(groupByKey(), count('direct'))
const behind = orders.pipe(
  groupBy((order) => order.customer),
  count('behind'),
)
const pair = (a: unknown, b: unknown) => [a, b]
const ends = { key: string(), value: json() }

/** Records come back to the subtopology that sent them through a repartition. */
const circles = {
  'a count joined with one by another key': topology('app', [
    direct.pipe(outerJoin('both', behind, pair), toStream(), to('out', ends)),
  ]),
  'a stream joined with itself by another key': topology('app', [
    orders.pipe(
      join('both', moved, (a, b) => `${a.id}&${b.id}`, within(20)),
      to('out', ends),
    ),
  ]),
  'a stream merged with itself by another key': topology('app', [
    orders.pipe(merge(moved.pipe(repartition('moved'))), to('out', ends)),
  ]),
  'a stream merged with what two repartitions made of it': topology('app', [
    behind.pipe(toStream(), repartition('back'), merge<string, unknown>(orders), to('out', ends)),
  ]),
}

describe('a circle of records', () => {
  it.each(Object.entries(circles))('has as many partitions all round as what comes in: %s', (_, app) => {
    const counts = partitionCounts(plan(app), () => 5)
    expect([...new Set(counts.values())]).toEqual([5])
  })

  it.each(Object.entries(circles))('gives the same whatever the runtime does: %s', async (name, app) => {
    const input = fc.array(
      fc
        .record({
          id: fc.constantFrom('a', 'b', 'c'),
          customer: fc.constantFrom('a', 'b', 'd'),
          timestamp: fc.nat(100),
        })
        .map(({ timestamp, ...value }) => ({ topic: 'orders', key: value.id, value, timestamp })),
      { maxLength: 25 },
    )
    await checkReplays(app, {
      input,
      outputs: { out: name.includes('count') || name.includes('two') ? 'latest' : 'every' },
      runs: 60,
    })
  })

  it('joins what belongs together', () => {
    const driver = new TopologyDriver(circles['a count joined with one by another key'], { partitions: 3 })
    driver.pipe('orders', 'ada', { id: '1', customer: 'bob' }, 1)
    driver.pipe('orders', 'bob', { id: '2', customer: 'bob' }, 2)
    driver.pipe('orders', 'bob', { id: '3', customer: 'ada' }, 3)
    expect(Object.fromEntries(driver.read('out').map(({ key, value }) => [key, value]))).toEqual({
      ada: [1, 1],
      bob: [2, 2],
    })
  })

  it('runs, and goes on after a restart', async () => {
    const log = memoryLog()
    await log.connect()
    await log.admin.create(['orders', 'out'].map((topic) => ({ topic, partitions: 3 })))
    const app = circles['a count joined with one by another key']
    for (const half of [0, 1]) {
      const names = ['ada', 'bob', 'cem', 'dov']
      const records = Array.from({ length: 40 }, (_, i) => ({
        key: names[i % 4],
        value: JSON.stringify({ id: `${i}`, customer: names[i % 3] }),
        timestamp: 40 * half + i,
      }))
      await writeRecords(log, 'orders', records)
      const running = await run(app, { log, logger: false })
      await running.caughtUp()
      await running.stop()
      await log.connect()
    }
    const rows = new Map((await readRecords(log, 'out')).map(({ key, value }) => [key, value]))
    expect(Object.fromEntries(rows)).toEqual({ ada: '[20,28]', bob: '[20,26]', cem: '[20,26]', dov: '[20,null]' })
  })

  it('is refused where operators on both sides of the repartition mean to share a store', () => {
    const store = keyValueStore('shared', { key: string(), value: long() })
    const counting = (name: string) =>
      process<string, Order, { store: typeof store }>(name, { stores: { store } }, ({ forward }) => ({
        process: (order, key) => forward(key, order),
      }))
    const app = topology('app', [
      orders.pipe(counting('before'), to('before', ends)),
      moved.pipe(repartition('moved'), counting('behind'), to('behind', ends)),
    ])
    expect(() => plan(app)).toThrow(/a store is shared by operators before and behind a repartition/)
  })
})
