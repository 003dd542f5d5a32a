import { partitionFor } from 'millrace/testing'
import type { Arrival } from '../common/arrivals.ts'
import { GRACE } from './job.ts'
import type { Enriched, Transaction, User } from './model.ts'
import { isUnknown, productOf } from './products.ts'

/** What came out of a transaction, and how often: a copy is enriched like the first. */
export type Times = Enriched & { readonly times: number }

export interface Expected {
  /** By transaction id. */
  readonly enriched: ReadonlyMap<string, Times>
  /** Transactions of products that nobody knows. */
  readonly unknown: number
}

/** Every transaction with the newest change of its user that is not newer than itself. */
export function expected(arrivals: readonly Arrival[], partitions: number): Expected {
  const changes = Map.groupBy(
    arrivals.filter(({ topic }) => topic === 'users').sort((a, b) => a.timestamp - b.timestamp),
    ({ key }) => key,
  )
  const transactions = arrivals.filter(({ topic, fate }) => topic === 'transactions' && fate !== 'broken')
  const partitionOf = (key: string | null) => partitionFor(Buffer.from(key!), partitions)
  const times = new Map<number, number>()
  for (const { key, timestamp } of transactions) {
    times.set(partitionOf(key), Math.max(times.get(partitionOf(key)) ?? 0, timestamp))
  }
  const all: Enriched[] = []
  let unknown = 0
  for (const { key, timestamp, value } of transactions) {
    // The last ones still wait for changes of their users.
    if (timestamp > times.get(partitionOf(key))! - GRACE) continue
    const { product_id, transaction_id, user_id, amount } = value as Transaction
    if (isUnknown(product_id)) unknown++
    else {
      const then = changes.get(user_id)!.findLast((change) => change.timestamp <= timestamp)!
      const { country, segment } = then.value as User
      const { name: product, vat } = productOf(product_id)
      all.push({ transaction_id, user_id: user_id!, amount, country, segment, product, vat })
    }
  }
  return { enriched: counted(all), unknown }
}

export function counted(all: readonly Enriched[]): Map<string, Times> {
  const times = new Map<string, Times>()
  for (const one of all) {
    times.set(one.transaction_id, { ...one, times: (times.get(one.transaction_id)?.times ?? 0) + 1 })
  }
  return times
}
