import { type SinkDefinition, string, type Windowed } from 'millrace'
import { clickhouse } from 'millrace/clickhouse'
import { ask } from '../common/ask.ts'
import { differences } from '../common/compare.ts'
import type { Parts } from '../common/parts.ts'
import type { Example } from '../common/start.ts'
import { closedBefore, expectedTrends } from './expected.ts'
import { generate } from './generate.ts'
import { serdes, trending, WINDOW } from './job.ts'
import type { Trend } from './model.ts'

const ABOUT = `
Trending: the ten products of each category that sold best in ten minutes, anew
every two minutes, to a topic and to ClickHouse; late sales to a topic of their
own.`

/** One row per window, with the products as an array, best first. */
const trendsTable = ({ name, clickhouseUrl }: Pick<Parts, 'name' | 'clickhouseUrl'>) =>
  clickhouse({
    table: tableOf(name),
    url: clickhouseUrl,
    create: true,
    key: ({ key, window }: Windowed<string>) => ({ category: key, window_start: window.start, window_end: window.end }),
    columns: (_key, { products }: Trend) => ({
      products: products.map(({ product_id }) => product_id),
      sold: products.map(({ sold }) => sold),
    }),
    types: {
      window_start: "DateTime64(3, 'UTC')",
      window_end: "DateTime64(3, 'UTC')",
      products: 'Array(String)',
      sold: 'Array(UInt32)',
    },
  })

const tableOf = (name: string) => `${name.replace(/[.-]/g, '_')}_products`

export const trendingExample = (
  sink: (parts: Parts) => SinkDefinition<Windowed<string>, Trend> = trendsTable,
): Example => ({
  name: 'trending',
  about: ABOUT,
  records: 20_000,
  sinks: ['clickhouse'],
  inputs: { sales: serdes.sales },
  outputs: ['trends', 'late-sales'],
  generate,
  topology: (parts) => trending(sink(parts), parts.name),
  async check(read, arrivals, { name, clickhouseUrl }) {
    const all = await read('trends', serdes.trends)
    const trends = new Map(all.map(({ key: { key, window }, value }) => [`${key}|${window.start}`, value]))
    const late = await read('late-sales', { key: string(), value: serdes.sales })
    const lateSent = arrivals.filter(({ fate }) => fate === 'late').length
    const closed = closedBefore(arrivals)
    const problems = [
      ...(all.length === trends.size ? [] : ['a window came out twice']),
      ...(late.length === lateSent ? [] : [`late sales: expected ${lateSent}, found ${late.length}`]),
      ...differences('trend', trends, expectedTrends(arrivals), (key) => Number(key.split('|')[1]) + WINDOW > closed),
    ]
    if (clickhouseUrl) {
      const rows = await ask<{ key: string; products: string[]; sold: number[] }>(
        clickhouseUrl,
        `SELECT concat(category, '|', toString(toUnixTimestamp64Milli(window_start))) AS key, products, sold
         FROM ${tableOf(name)} FINAL`,
      )
      const inTable = rows.map(({ key, products, sold }): [string, Trend] => [
        key,
        { products: products.map((product_id, i) => ({ product_id, sold: sold[i] })) },
      ])
      problems.push(...differences('row', new Map(inTable), trends))
    }
    const newest = all.at(-1)
    return {
      lines: [
        `${trends.size} windows, ${late.length} late sales`,
        ...(newest
          ? [`${newest.key.key}, last: ${newest.value.products.slice(0, 3).map(describeSales).join(', ')}`]
          : []),
      ],
      problems,
    }
  },
  next: ({ name, directory }) => [
    'examples/trending/job.ts          the job',
    'examples/trending/expected.ts     the same with plain loops',
    `npm run -s shop:sql -- "SELECT window_start, products[1], sold[1]`,
    `  FROM ${tableOf(name)} FINAL WHERE category = 'toys' ORDER BY 1" ${directory}`,
    'docs/operators/top-k.md           the best of a group',
  ],
})

const describeSales = ({ product_id, sold }: Trend['products'][number]) => `${product_id} (${sold})`
