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
  /** Completed transactions that no window counts any more. */
  readonly late: number
  readonly deadLetters: number
  readonly alertedUsers: number
  readonly problems: readonly string[]
}

/**
 * Compares ClickHouse, the lake, the alerts and the dead letters with the independent computation, and accounts for every
 * record of the topic by its partition and offset: it is in the lake, or a dead letter.
 */
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

  const inLake = new Set<string>()
  let lakeRows = 0
  let lakeFiles = 0
  let completed = 0
  for await (const file of readLake<LakeRow>({ to: parts.lake, topic: 'transactions' })) {
    lakeFiles++
    for (const { _partition, _offset, status } of file.rows) {
      lakeRows++
      if (status === 'completed') completed++
      inLake.add(`${_partition}/${_offset}`)
    }
  }
  check('transactions in the lake', lakeRows, expected.accepted)
  check('different transactions in the lake', inLake.size, expected.accepted)
  check('completed transactions in the lake that came too late for a window', completed - orders, expected.late)

  const deadLetters = await readDeadLetters(log, name)
  const setAside = new Set(deadLetters.map(({ partition, offset }) => `${partition}/${offset}`))
  const broken = sum(Object.values(expected.broken))
  check('dead letters', deadLetters.length, broken)
  check('records that are in the lake or a dead letter', new Set([...inLake, ...setAside]).size, expected.transactions)
  check(
    'records that are both in the lake and a dead letter',
    [...setAside].filter((place) => inLake.has(place)).length,
    0,
  )
  const input = await extent(log, topicOf(name, 'transactions'))
  check('records in the topic', sum(input.map(({ start, end }) => end - start)), expected.transactions)
  const ends = new Map(input.map(({ partition, end }) => [`${partition}`, end]))
  const outside = [...inLake, ...setAside].filter((place) => {
    const [partition, offset] = place.split('/')
    return Number(offset) >= (ends.get(partition) ?? 0)
  })
  check('places in the lake or in dead letters that the topic does not have', outside.length, 0)

  const alerted = new Set<string>()
  for await (const { key } of readTopic(log, topicOf(name, 'alerts'))) alerted.add(`${key}`)
  for (const user of expected.alerted) if (!alerted.has(user)) problems.push(`no alert for ${user}`)
  for (const user of alerted) if (!expected.alerted.has(user)) problems.push(`a wrong alert for ${user}`)
  return {
    windows: rows.length,
    orders,
    revenue: cents / 100,
    lakeRows,
    lakeFiles,
    late: completed - orders,
    deadLetters: deadLetters.length,
    alertedUsers: alerted.size,
    problems,
  }
}

interface LakeRow {
  readonly _partition: number
  readonly _offset: number
  readonly status: string
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

/** A dead letter: where the record came from. */
interface FoundLetter {
  readonly partition: number
  readonly offset: number
}

async function readDeadLetters(log: Log, name: string): Promise<FoundLetter[]> {
  const letters: FoundLetter[] = []
  for await (const { headers } of readTopic(log, `${name}-dead-letters`)) {
    const found = new Map(headers.map(([header, value]) => [header, `${value}`]))
    const of = (what: string) => Number(found.get(`__streams.errors.${what}`))
    letters.push({ partition: of('partition'), offset: of('offset') })
  }
  return letters
}

/** From where to where the partitions of a topic go, as a committed reader sees them; none when it is not there. */
async function extent(log: Log, topic: string): Promise<{ partition: number; start: number; end: number }[]> {
  const count = (await log.admin.partitions([topic])).get(topic) ?? 0
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  const starts = await log.admin.startOffsets(partitions)
  const ends = await log.admin.endOffsets(partitions)
  return ends.map(({ partition, offset: end }) => {
    return { partition, start: starts.find((of) => of.partition === partition)!.offset, end }
  })
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0)
