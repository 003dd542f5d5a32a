import {
  aggregate,
  avro,
  count,
  filter,
  groupByKey,
  map,
  minutes,
  seconds,
  sliding,
  stream,
  string,
  sum,
  to,
  topology,
  toStream,
  windowedBy,
} from 'millrace'
import { job } from '../suite/job.ts'
import type { Transaction } from '../transactions/generate.ts'
import { transactionsInput } from '../transactions/inputs.ts'
import { slidingWindows } from '../transactions/references.ts'
import { latestRevenue, revenueSerde } from '../transactions/results.ts'
import { registry, transactionSchema } from '../transactions/schemas.ts'

/** Each completed transaction is in 88 windows on average: the job of window updates. */
export const slidingJob = job({
  name: 'sliding',
  summary: 'revenue per user in sliding windows of a minute',
  records: 500_000,
  smokeRecords: 50_000,
  inputs: [transactionsInput],
  registry,
  topology: ({ application, inputs: [transactions], output }) =>
    topology(application, [
      stream(transactions, { key: string(), value: avro<Transaction>(transactionSchema) }).pipe(
        filter((transaction) => transaction.status === 'completed'),
        groupByKey(),
        windowedBy(sliding(minutes(1), { grace: seconds(10) })),
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
  reference: slidingWindows,
})
