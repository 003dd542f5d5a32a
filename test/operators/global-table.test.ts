import { describe, expect, it } from 'vitest'
import { globalTable, join, json, leftJoin, run, stream, string, to, topology } from '../../src/index.ts'
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
    await writeRecords(log, 'prices', [{ key: 'sku0', value: '-1', timestamp: 2 }])
    const price = () => [...running.query<string, number>('prices')].find(({ key }) => key === 'sku0')?.value
    await expect.poll(price, { timeout: 10_000 }).toBe(-1)
    expect(await running.metrics.text()).toContain('millrace_global_table_entries{application="t",store="prices"} 200')
    await running.stop()
  })
})
