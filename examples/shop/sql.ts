import { join } from 'node:path'
import { createClient } from '@clickhouse/client'
import { embeddedClickHouse } from 'millrace/clickhouse'

/** Asks the ClickHouse that the shop writes to: `npm run shop:sql -- "SELECT …"`. */
const [query, data = 'data'] = process.argv.slice(2)
if (!query) {
  console.error('usage: npm run shop:sql -- "SELECT …" [data directory]')
  process.exit(2)
}
const engine = process.env.CLICKHOUSE_URL ? undefined : await embeddedClickHouse({ path: join(data, 'clickhouse') })
const client = createClient({ url: process.env.CLICKHOUSE_URL ?? engine!.url })
const result = await client.query({ query, format: 'TabSeparatedWithNames' })
console.log(await result.text())
await client.close()
await engine?.close()
