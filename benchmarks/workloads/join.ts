import { avro, filter, join, seconds, stream, string, to, topology, within } from 'millrace'
import { job } from '../suite/job.ts'
import type { Click, Transaction } from '../transactions/generate.ts'
import { clicksInput, transactionsInput } from '../transactions/inputs.ts'
import { attributions } from '../transactions/references.ts'
import { attributionSerde, eachAttribution } from '../transactions/results.ts'
import { clickSchema, registry, transactionSchema } from '../transactions/schemas.ts'

/** Which click led to which payment: a join of two streams, within 30 seconds in either direction. */
export const joinJob = job({
  name: 'join',
  summary: 'completed transactions with the clicks of their user, at most 30 s apart',
  records: 1_000_000,
  smokeRecords: 50_000,
  // Half the collections: what is read lives until a slice is done. 2 to 3 % more records/s than with 16 MB.
  nodeOptions: ['--max-semi-space-size=32'],
  inputs: [transactionsInput, clicksInput],
  registry,
  topology: ({ application, inputs: [transactions, clicks], output }) =>
    topology(application, [
      stream(transactions, { key: string(), value: avro<Transaction>(transactionSchema) }).pipe(
        filter((transaction) => transaction.status === 'completed'),
        join(
          'attributions',
          stream(clicks, { key: string(), value: avro<Click>(clickSchema) }),
          ({ transaction_id, user_id, amount, created_at }, { click_id, page }) => ({
            transaction_id,
            click_id,
            user_id,
            page,
            amount,
            created_at,
          }),
          within(seconds(30), { grace: seconds(10) }),
        ),
        to(output, { key: string(), value: attributionSerde() }),
      ),
    ]),
  read: eachAttribution,
  reference: (n, seed) => attributions(n, seed, n),
})
