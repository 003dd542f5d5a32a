import avsc from 'avsc'
import {
  aggregate,
  custom,
  filter,
  groupByKey,
  map,
  minutes,
  type Serde,
  seconds,
  stream,
  string,
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

const WIRE_HEADER = 5

/** A serde as a user would write it, around avsc: it reads where the record is, and makes a string of each field. */
function plainAvro<T>(schema: object): Serde<T> {
  const type = avsc.Type.forSchema(structuredClone(schema) as avsc.Schema)
  return {
    format: 'avsc',
    open: () => ({
      encode() {
        throw new Error('only read')
      },
      decode({ buffer }, start, end) {
        const { value, offset } = type.decode(buffer, start + WIRE_HEADER)
        if (offset !== end) throw new Error('the record is not as long as its schema says')
        return value
      },
    }),
  }
}

/** As `tumbling`, with nothing of ours where a user may bring their own: plain objects, and avsc's decoder. */
export const tumblingCustomJob = job({
  name: 'tumbling-custom',
  summary: 'as tumbling, with an aggregate and a serde of the user’s own',
  records: 5_000_000,
  smokeRecords: 100_000,
  nodeOptions: ['--max-semi-space-size=8'],
  inputs: [transactionsInput],
  registry,
  topology: ({ application, inputs: [transactions], output }) =>
    topology(application, [
      stream(transactions, { key: string(), value: plainAvro<Transaction>(transactionSchema) }).pipe(
        filter((transaction) => transaction.status === 'completed'),
        groupByKey(),
        windowedBy(tumbling(minutes(1), { grace: seconds(10) })),
        aggregate(
          'revenue',
          custom({
            init: () => ({ count: 0, revenue: 0 }),
            add(total, transaction: Transaction) {
              total.count++
              total.revenue += transaction.amount
              return total
            },
            merge: (a, b) => ({ count: a.count + b.count, revenue: a.revenue + b.revenue }),
          }),
        ),
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
