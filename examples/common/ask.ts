import { ClickHouseLogLevel, createClient } from '@clickhouse/client'

/** The rows that ClickHouse answers a query with. */
export async function ask<T>(url: string, query: string): Promise<T[]> {
  const client = createClient({ url, log: { level: ClickHouseLogLevel.OFF } })
  try {
    return await (await client.query({ query, format: 'JSONEachRow' })).json<T>()
  } finally {
    await client.close()
  }
}
