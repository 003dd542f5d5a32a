import type { SinkBatch } from 'millrace'
import { type Transaction, transactions } from './generate.ts'

const ROWS_PER_BATCH = 100_000

/** Transactions as a sink gets them. */
export function* batches(n: number, seed: number): Generator<SinkBatch<string, Transaction>> {
  let values: Transaction[] = []
  let first = 0
  const take = (): SinkBatch<string, Transaction> => {
    const batch = {
      range: { topic: 'transactions', partition: 0, firstOffset: first, lastOffset: first + values.length - 1 },
      keys: values.map((value) => value.user_id),
      values,
      timestamps: values.map((value) => value.created_at),
      offsets: values.map((_, i) => first + i),
    }
    first += values.length
    values = []
    return batch
  }
  for (const transaction of transactions(n, seed)) {
    values.push(transaction)
    if (values.length === ROWS_PER_BATCH) yield take()
  }
  if (values.length > 0) yield take()
}
