import {
  aggregate,
  avro,
  count,
  filter,
  groupBy,
  hours,
  map,
  minutes,
  stream,
  string,
  sum,
  to,
  topology,
  toStream,
  tumbling,
  windowedBy,
} from 'millrace'
import { job } from '../suite/job.ts'
import type { Transaction } from '../transactions/generate.ts'
import { transactionsInput } from '../transactions/inputs.ts'
import { perProduct } from '../transactions/references.ts'
import { latestRevenue, revenueSerde } from '../transactions/results.ts'
import { registry, transactionSchema } from '../transactions/schemas.ts'

const transactionSerde = avro<Transaction>(transactionSchema, { subject: 'transactions' })

/**
 * As `tumbling`, but by product, through a repartition topic. The grace of an hour is what engines need whose result
 * depends on the relative progress of upstream tasks; here it would not be needed (docs/decisions/0003-lanes.md).
 */
export const repartitionJob = job({
  name: 'repartition',
  summary: 'revenue per product in windows of a minute, through a repartition topic',
  records: 5_000_000,
  smokeRecords: 100_000,
  inputs: [transactionsInput],
  registry,
  topology: ({ application, inputs: [transactions], output }) =>
    topology(application, [
      stream(transactions, { key: string(), value: transactionSerde }).pipe(
        filter((transaction) => transaction.status === 'completed'),
        groupBy((transaction) => `product-${transaction.product_id}`, { value: transactionSerde }),
        windowedBy(tumbling(minutes(1), { grace: hours(1) })),
        aggregate('revenue', { count: count(), revenue: sum((transaction) => transaction.amount) }),
        toStream(),
        map((total, { key, window }) => [
          key,
          total && { user_id: key, window_start: window.start, window_end: window.end, ...total },
        ]),
        to(output, { key: string(), value: revenueSerde() }),
      ),
    ]),
  read: latestRevenue,
  reference: perProduct,
})
