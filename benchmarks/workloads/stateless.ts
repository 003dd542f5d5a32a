import { avro, filter, mapValues, stream, string, to, topology } from 'millrace'
import { job } from '../suite/job.ts'
import type { Transaction } from '../transactions/generate.ts'
import { transactionsInput } from '../transactions/inputs.ts'
import { payments } from '../transactions/references.ts'
import { eachPayment, paymentSerde } from '../transactions/results.ts'
import { registry, transactionSchema } from '../transactions/schemas.ts'

/** No state: each completed transaction becomes a payment in cents. */
export const statelessJob = job({
  name: 'stateless',
  summary: 'filter, map and write each record',
  records: 5_000_000,
  smokeRecords: 100_000,
  inputs: [transactionsInput],
  registry,
  topology: ({ application, inputs: [transactions], output }) =>
    topology(application, [
      stream(transactions, { key: string(), value: avro<Transaction>(transactionSchema) }).pipe(
        filter((transaction) => transaction.status === 'completed'),
        mapValues(({ transaction_id, user_id, amount, category, created_at }) => ({
          transaction_id,
          user_id,
          cents: Math.round(amount * 100),
          category,
          created_at,
        })),
        to(output, { key: string(), value: paymentSerde() }),
      ),
    ]),
  read: eachPayment,
  reference: payments,
})
