import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { Log } from 'millrace'
import { readLake } from 'millrace/lake'
import { readTopic } from '../common/read-topic.ts'
import type { Expected } from './expected.ts'
import { topicOf } from './job.ts'
import type { Parts } from './parts.ts'

/** What was found, and everything that is not as it must be. */
export interface Verdict {
  readonly windows: number
  readonly orders: number
  readonly revenue: number
  readonly lakeRows: number
  readonly lakeFiles: number
  readonly deadLetters: number
  readonly alertedUsers: number
  readonly problems: readonly string[]
}

/** Compares ClickHouse, the lake, the alerts and the dead letters with the independent computation. */
export async function verify(
  parts: Pick<Parts, 'clickhouseUrl' | 'table' | 'lake'>,
  log: Log,
  name: string,
  expected: Expected,
): Promise<Verdict> {
  const problems: string[] = []
  const check = (what: string, actual: number, wanted: number) => {
    if (actual !== wanted) problems.push(`${what}: expected ${wanted}, found ${actual}`)
  }
  const rows = await revenueRows(parts)
  let orders = 0
  let cents = 0
  const open = new Map(expected.revenue)
  for (const row of rows) {
    const key = `${row.category}|${Date.parse(`${row.start}Z`)}`
    const wanted = open.get(key)
    open.delete(key)
    const found = { orders: Number(row.orders), cents: Math.round(Number(row.revenue) * 100) }
    orders += found.orders
    cents += found.cents
    if (wanted?.orders !== found.orders || wanted.cents !== found.cents) {
      problems.push(`revenue of ${key}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`)
    }
  }
  for (const key of open.keys()) problems.push(`revenue of ${key} is missing`)

  const places = new Set<string>()
  let lakeRows = 0
  let lakeFiles = 0
  for await (const file of readLake<{ _partition: number; _offset: number }>({
    to: parts.lake,
    topic: 'transactions',
  })) {
    lakeFiles++
    for (const { _partition, _offset } of file.rows) {
      lakeRows++
      places.add(`${_partition}/${_offset}`)
    }
  }
  check('transactions in the lake', lakeRows, expected.accepted)
  check('different transactions in the lake', places.size, expected.accepted)

  const broken = Object.values(expected.broken).reduce((sum, n) => sum + n, 0)
  const deadLetters = await topicKeys(log, `${name}-dead-letters`)
  check('dead letters', deadLetters.length, broken)

  const alerted = new Set(await topicKeys(log, topicOf(name, 'alerts')))
  for (const user of expected.alerted) if (!alerted.has(user)) problems.push(`no alert for ${user}`)
  for (const user of alerted) if (!expected.alerted.has(user!)) problems.push(`a wrong alert for ${user}`)
  return {
    windows: rows.length,
    orders,
    revenue: cents / 100,
    lakeRows,
    lakeFiles,
    deadLetters: deadLetters.length,
    alertedUsers: alerted.size,
    problems,
  }
}

interface RevenueRow {
  readonly category: string
  readonly start: string
  readonly orders: string
  readonly revenue: number
}

/** None when the table is not there: nothing was completed. */
async function revenueRows({
  clickhouseUrl: url,
  table,
}: Pick<Parts, 'clickhouseUrl' | 'table'>): Promise<RevenueRow[]> {
  const client = createClient({ url, log: { level: ClickHouseLogLevel.OFF } })
  try {
    const result = await client.query({
      query: `SELECT category, toString(toTimeZone(window_start, 'UTC')) AS start, orders, revenue
              FROM {table: Identifier} FINAL`,
      query_params: { table },
      format: 'JSONEachRow',
    })
    return await result.json<RevenueRow>()
  } catch (error) {
    if ((error as { type?: string }).type === 'UNKNOWN_TABLE') return []
    throw error
  } finally {
    await client.close()
  }
}

/** The keys of everything that a committed reader sees in a topic. */
async function topicKeys(log: Log, topic: string): Promise<(string | null)[]> {
  const keys: (string | null)[] = []
  for await (const { key } of readTopic(log, topic)) keys.push(key?.toString() ?? null)
  return keys
}
