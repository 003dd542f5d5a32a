import { afterAll, beforeAll } from 'vitest'
import { clickhouse } from '../../../src/sinks/clickhouse/index.ts'
import { sinkContract } from '../../../src/testing/contracts/sink.ts'
import { proxyTo } from './proxy.ts'
import { type TestServer, testServer } from './server.ts'

let server: TestServer
let count = 0

beforeAll(async () => {
  server = await testServer()
}, 60_000)
afterAll(() => server.close())

for (const mode of ['append', 'upsert'] as const) {
  sinkContract(`clickhouse, ${mode}`, async () => subject(mode), { mode })
}

async function subject(mode: 'append' | 'upsert') {
  const table = `contract_${mode}_${count++}`
  const proxy = await proxyTo(server.url)
  return {
    definition: clickhouse({ table, mode, create: true, url: proxy.url }),
    async rows() {
      const rows = await server.rows<{ amount: number | string }>(
        `SELECT * FROM ${table}${mode === 'upsert' ? ' FINAL' : ''}`,
      )
      return rows.map((row) => ({ ...row, amount: Number(String(row.amount).replace('inf', 'Infinity')) }))
    },
    breakIt: proxy.cut,
    mendIt: proxy.mend,
    async cleanup() {
      await proxy.close()
      await server.run(`DROP TABLE IF EXISTS ${table}`)
    },
  }
}
