import type { SinkDefinition } from 'millrace'
import { lake, readLake } from 'millrace/lake'
import { differences } from '../common/compare.ts'
import { PARTITIONS } from '../common/feed.ts'
import type { Parts } from '../common/parts.ts'
import type { Example } from '../common/start.ts'
import { counted, expected } from './expected.ts'
import { generate } from './generate.ts'
import { enrichment, type LookUp, serdes } from './job.ts'
import type { Enriched } from './model.ts'

const ABOUT = `
Enrichment: transactions are joined with their user as it was at that time, and
with their product, which a slow HTTP service on this machine knows; the result
goes to a topic and into a lake.`

type Sink = SinkDefinition<string, Enriched>

/** @param partitions - of the topics: which transactions still wait at the end is decided partition by partition */
export const enrichmentExample = (
  lookUp: LookUp,
  sinkOf: (parts: Parts) => Sink = ({ lake: to }) => lake({ to, topic: 'enriched' }),
  partitions = PARTITIONS,
): Example => ({
  name: 'enrichment',
  about: ABOUT,
  records: 5_000,
  sinks: ['lake'],
  inputs: { transactions: serdes.transactions, users: serdes.users },
  outputs: ['enriched'],
  generate,
  topology: (parts) => enrichment(lookUp, sinkOf(parts), parts.name),
  async check(read, arrivals, { lake: to }) {
    const wanted = expected(arrivals, partitions)
    const inTopic = (await read('enriched', serdes.enriched)).map(({ value }) => value)
    const problems = differences('transaction', counted(inTopic), wanted.enriched)
    if (to) {
      const inLake: Enriched[] = []
      for await (const { rows } of readLake<Enriched>({ to, topic: 'enriched' })) {
        for (const { transaction_id, user_id, amount, country, segment, product, vat } of rows) {
          inLake.push({ transaction_id, user_id, amount, country, segment, product, vat })
        }
      }
      problems.push(...differences('row of the lake', counted(inLake), counted(inTopic)))
    }
    const late = arrivals.filter(({ topic, fate }) => topic === 'transactions' && fate === 'late').length
    return {
      lines: [
        `${inTopic.length} transactions enriched, ${late} of them 45 minutes late or more: with the user as it was`,
        `${wanted.unknown} of products that the service does not know, in the dead letters`,
      ],
      problems,
    }
  },
  next: ({ lake: to }) => [
    'examples/enrichment/job.ts          the job',
    'examples/enrichment/products.ts     the service, and how it is asked',
    `the lake is at ${String(to)}`,
    'docs/operators/map-async.md         order, time-outs, retries',
  ],
})
