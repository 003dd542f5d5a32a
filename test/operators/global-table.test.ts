import { describe, expect, it } from 'vitest'
import {
  count,
  globalTable,
  groupByKey,
  join,
  json,
  leftJoin,
  run,
  stream,
  string,
  to,
  topology,
  toStream,
} from '../../src/index.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog, TopologyDriver } from '../../src/testing/index.ts'
import { readRecords, writeRecords } from '../support/records.ts'

const prices = globalTable('prices', { key: string(), value: json<number>(), store: 'prices' })
const sales = stream('sales', { key: string(), value: json<string>() })
const out = { key: string(), value: json<string>() }
const joined = topology('t', [
  sales.pipe(
    leftJoin(
      prices,
      (sku) => sku,
      (sku, price) => `${sku} ${price}`,
    ),
    to('out', out),
  ),
  sales.pipe(
    join(
      prices,
      (sku) => sku,
      (sku, price) => `${sku} ${price + 0}`,
    ),
    to('priced', out),
  ),
])

describe('a global table', () => {
  it('is joined by any key, as it stands, over partitions and a restart', () => {
    const driver = new TopologyDriver(joined, { partitions: 3 })
    driver.pipe('sales', 'a', 'x', 9)
    driver.pipe('prices', 'x', 5, 1)
    driver.pipe('prices', 'y', 6, 1)
    driver.pipeBytes('prices', Buffer.from('x'), Buffer.from('{'), 1)
    driver.pipe('sales', 'b', 'x', 0)
    driver.commit()
    driver.restart()
    driver.pipe('prices', 'y', null, 1)
    driver.pipe('sales', 'a', 'y', 1)
    const values = (topic: string) => driver.read(topic).map(({ value }) => value)
    expect(values('out')).toEqual(['x null', 'x 5', 'y null'])
    expect(values('priced')).toEqual(['x 5'])
    expect(driver.store('prices').map(({ key, value }) => [key, value])).toEqual([['x', 5]])
  })

  it('is whole before the first record is joined, and followed from then on', async () => {
    const log = memoryLog()
    await log.connect()
    await log.admin.create([
      { topic: 'sales', partitions: 2 },
      { topic: 'prices', partitions: 3 },
      { topic: 'out', partitions: 1 },
      { topic: 'priced', partitions: 1 },
    ])
    const skus = Array.from({ length: 200 }, (_, i) => `sku${i}`)
    await writeRecords(
      log,
      'prices',
      skus.map((key, i) => ({ key, value: String(i), timestamp: 0 })),
    )
    await writeRecords(
      log,
      'sales',
      skus.map((sku) => ({ key: sku, value: JSON.stringify(sku), timestamp: 1 })),
    )
    const running = await run(joined, { log, logger: false, commitIntervalMs: 10 })
    await running.ready()
    await running.caughtUp()
    expect((await readRecords(log, 'out')).map(({ value }) => value).sort()).toEqual(
      skus.map((sku, i) => JSON.stringify(`${sku} ${i}`)).sort(),
    )
    await writeRecords(log, 'prices', [
      { key: 'sku1', value: 'no number', timestamp: 2 },
      { key: 'sku0', value: '-1', timestamp: 2 },
    ])
    const price = () => [...running.query<string, number>('prices')].find(({ key }) => key === 'sku0')?.value
    await expect.poll(price, { timeout: 10_000 }).toBe(-1)
    await running.caughtUp()
    const text = await running.metrics.text()
    expect(text).toContain('millrace_global_table_entries{application="t",store="prices"} 200')
    expect(text).toContain('millrace_global_table_skipped_total{application="t",store="prices"} 1')
    await running.stop()
  })
})

describe('a global table that is followed', () => {
  const row = (key: string, value: string) => ({ key, value, timestamp: 1 })

  it('is waited for by caughtUp, and built anew when the log has gone on without it', async () => {
    const log = memoryLog()
    await log.connect()
    await log.admin.create(['sales', 'prices', 'out', 'priced'].map((topic) => ({ topic, partitions: 1 })))
    await writeRecords(log, 'prices', [row('gone', '1'), row('stays', '2')])
    let cut = false
    const cutting: Log = {
      ...log,
      reader(options) {
        const reader = log.reader(options)
        return {
          close: () => reader.close(),
          async fetch(partitions, how) {
            const prices = partitions.find(({ topic }) => topic === 'prices')
            if (prices && cut && prices.offset > 0) {
              cut = false
              // What it would have read next, a deletion among it, is cut away.
              await log.admin.trim([{ topic: 'prices', partition: 0, offset: prices.offset + 1 }])
            }
            return reader.fetch(partitions, how)
          },
        }
      },
    }
    const running = await run(joined, { log: cutting, logger: false, commitIntervalMs: 10 })
    await running.caughtUp()
    const prices = () => [...running.query<string, number>('prices')].map(({ key, value }) => [key, value]).sort()
    expect(prices()).toEqual([
      ['gone', 1],
      ['stays', 2],
    ])
    cut = true
    await writeRecords(log, 'prices', [{ key: 'gone', value: null, timestamp: 2 }, row('stays', '3'), row('new', '4')])
    await running.caughtUp()
    expect(cut).toBe(false)
    expect(prices()).toEqual([
      ['new', 4],
      ['stays', 3],
    ])
    await running.stop()
  })

  it('has a name of its own among all stores', () => {
    const twice = topology('t', [
      stream('in', { key: string(), value: json<string>() }).pipe(
        groupByKey(),
        count('prices'),
        toStream(),
        to('counts', { key: string(), value: json() }),
      ),
      sales.pipe(
        join(
          prices,
          (sku) => sku,
          (sku) => sku,
        ),
        to('out', out),
      ),
    ])
    expect(() => new TopologyDriver(twice)).toThrow(/two stores are named "prices"/)
  })
})
