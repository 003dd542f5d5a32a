import {
  aggregate,
  avro,
  count,
  filter,
  groupByKey,
  map,
  minutes,
  seconds,
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
import { perUser } from '../transactions/references.ts'
import { latestRevenue, revenueSerde } from '../transactions/results.ts'
import { registry, transactionSchema } from '../transactions/schemas.ts'

/** The headline job: revenue per user and minute. The key is the user already, so nothing is repartitioned. */
export const tumblingJob = job({
  name: 'tumbling',
  summary: 'revenue per user in windows of a minute, state in a changelog',
  records: 5_000_000,
  smokeRecords: 100_000,
  nodeOptions: ['--max-semi-space-size=8'],
  inputs: [transactionsInput],
  registry,
  topology: ({ application, inputs: [transactions], output }) =>
    topology(application, [
      stream(transactions, { key: string(), value: avro<Transaction>(transactionSchema) }).pipe(
        filter((transaction) => transaction.status === 'completed'),
        groupByKey(),
        windowedBy(tumbling(minutes(1), { grace: seconds(10) })),
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
  reference: perUser,
})
