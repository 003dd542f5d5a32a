import type { Windowed } from 'millrace'
import { clickhouse } from 'millrace/clickhouse'
import { lake, readLake } from 'millrace/lake'
import { ask } from '../common/ask.ts'
import { differences } from '../common/compare.ts'
import type { Parts } from '../common/parts.ts'
import { schema } from '../common/schemas.ts'
import type { Example } from '../common/start.ts'
import { expected } from './expected.ts'
import { generate, PARTNERS } from './generate.ts'
import { type QualitySinks, quality, serdes } from './job.ts'
import type { QualityScore, RejectedOrder } from './model.ts'

const ABOUT = `
Quality: orders of partners are checked, field by field with zod and then by
rules, once each; what is wrong goes to a topic and into a lake with its reasons,
and a score per partner and minute to a topic and to ClickHouse.`

const tableOf = (name: string) => `${name.replace(/[.-]/g, '_')}_scores`

const sinksOf = ({ name, clickhouseUrl, lake: to }: Parts): QualitySinks => ({
  // The values have been mapped and have no schema any more: the files get theirs here.
  rejected: lake<string, RejectedOrder>({ to, topic: 'rejected', schema: schema('rejected-order') }),
  scores: clickhouse<Windowed<string>, QualityScore>({
    table: tableOf(name),
    url: clickhouseUrl,
    create: true,
    key: 'partner',
  }),
})

export const qualityExample = (sinks: (parts: Parts) => QualitySinks = sinksOf): Example => ({
  name: 'quality',
  about: ABOUT,
  records: 20_000,
  sinks: ['clickhouse', 'lake'],
  inputs: { orders: serdes.orders },
  outputs: ['clean', 'rejected', 'scores'],
  generate,
  topology: (parts) => quality(sinks(parts), parts.name),
  async check(read, arrivals, parts) {
    const wanted = expected(arrivals)
    const clean = await read('clean', serdes.clean)
    const rejected = await read('rejected', serdes.rejected)
    const updates = await read('scores', serdes.scores)
    const scores = new Map(updates.map(({ key: { key, window }, value }) => [`${key}|${window.start}`, value]))
    const cleanById = new Map(clean.map(({ value }) => [value.order_id, value]))
    const problems = [
      ...(clean.length === cleanById.size ? [] : ['a clean order came out twice']),
      ...differences('clean order', cleanById, wanted.clean),
      ...differences(
        'rejected order',
        new Map(rejected.map(({ key, timestamp, value }) => [`${key}|${timestamp}`, value.reasons.map(whatIsWrong)])),
        wanted.rejected,
      ),
      ...differences('score', scores, wanted.scores),
    ]
    if (parts.clickhouseUrl) problems.push(...(await differencesInTable(parts, scores)))
    if (parts.lake) problems.push(...(await differencesInLake(parts, rejected.length)))
    const worst = PARTNERS.map((partner) => {
      const of = [...scores].filter(([key]) => key.startsWith(`${partner}|`)).map(([, score]) => score)
      const sum = (field: 'orders' | 'clean') => of.reduce((total, score) => total + score[field], 0)
      return `${partner} ${((100 * sum('clean')) / sum('orders')).toFixed(1)} %`
    })
    return {
      lines: [`${clean.length} clean orders, ${rejected.length} rejected`, `clean: ${worst.join(', ')}`],
      problems,
    }
  },
  next: ({ name, directory }) => [
    'examples/quality/job.ts           the job',
    'examples/quality/model.ts         what an order must be, with zod',
    `npm run -s shop:sql -- "SELECT partner, min(score), avg(score)`,
    `  FROM ${tableOf(name)} FINAL GROUP BY partner" ${directory}`,
    'docs/operators/validate.md        schemas and rules',
  ],
})

/** 'email: Invalid email address' is about the email; rules say it in full. */
const whatIsWrong = (reason: string): string => reason.split(':')[0]

async function differencesInTable({ name, clickhouseUrl }: Parts, scores: ReadonlyMap<string, QualityScore>) {
  const rows = await ask<{ key: string; orders: number | string; clean: number | string; score: number }>(
    clickhouseUrl,
    `SELECT concat(partner, '|', toString(toUnixTimestamp(window_start) * 1000)) AS key, orders, clean, score
     FROM ${tableOf(name)} FINAL`,
  )
  const inTable = new Map(
    rows.map(({ key, orders, clean, score }) => [key, { orders: Number(orders), clean: Number(clean), score }]),
  )
  return differences('row', inTable, scores)
}

async function differencesInLake({ lake: to }: Parts, wanted: number): Promise<string[]> {
  let found = 0
  for await (const { rows } of readLake({ to, topic: 'rejected' })) found += rows.length
  return found === wanted ? [] : [`rows of the lake: expected ${wanted}, found ${found}`]
}
