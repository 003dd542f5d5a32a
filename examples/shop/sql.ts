import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { embeddedClickHouse } from 'millrace/clickhouse'

/** Asks the ClickHouse that the shop writes to: `npm run -s shop:sql -- "SELECT …"`. */
async function main([query, data = 'data']: readonly string[]): Promise<number> {
  const { CLICKHOUSE_URL } = process.env
  if (!query) return fail('usage: npm run -s shop:sql -- "SELECT …" [data directory]', 2)
  const path = join(data, 'clickhouse')
  if (!CLICKHOUSE_URL && !existsSync(path)) return fail(`there is nothing in ${path} yet: npm start fills it`)
  const engine = CLICKHOUSE_URL ? undefined : await embeddedClickHouse({ path })
  const client = createClient({ url: CLICKHOUSE_URL ?? engine!.url, log: { level: ClickHouseLogLevel.OFF } })
  try {
    const formatted = /\bformat\s+\w+\s*$/i.test(query) ? query : `${query} FORMAT PrettyCompactMonoBlock`
    const answer = await client.exec({ query: formatted })
    console.log((await text(answer.stream)).trimEnd())
    return 0
  } finally {
    await client.close()
    await engine?.close()
  }
}

function fail(message: string, code = 1): number {
  console.error(message)
  return code
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = fail((error as Error).message)
}
process.exit()
