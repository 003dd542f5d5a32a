import { partitionFor } from 'millrace/testing'
import { type Flaw, transactionAt } from './generate.ts'
import { ALERT_ABOVE, ALERT_WINDOW, GRACE, WINDOW } from './job.ts'

/** What must come out, worked out with plain loops: no windows, no stores, no streams. */
export interface Expected {
  /** By `category|window start`. */
  readonly revenue: ReadonlyMap<string, { readonly orders: number; readonly cents: number }>
  /** Users with more than the allowed payments in some five minutes. */
  readonly alerted: ReadonlySet<string>
  /** Records in the topic. */
  readonly transactions: number
  /** Transactions that are not broken: what must be in the lake. */
  readonly accepted: number
  /** Completed ones that came too late for their minute. */
  readonly late: number
  readonly broken: Readonly<Record<string, number>>
}

const BROKEN: readonly Flaw[] = ['bad-magic', 'unknown-schema', 'null-user', 'negative-amount']

export function expected(seed: number, transactions: number, partitions: number): Expected {
  const revenue = new Map<string, { orders: number; cents: number }>()
  const paymentTimes = new Map<string, number[]>()
  // A record is late by the time of the partition it was read from: that order is fixed, whoever processes it when.
  const clocks = new Map<string, number>()
  const seen = (clock: string, time: number) => {
    const latest = Math.max(clocks.get(clock) ?? -1, time)
    clocks.set(clock, latest)
    return latest
  }
  const broken: Record<string, number> = Object.fromEntries(BROKEN.map((flaw) => [flaw, 0]))
  let accepted = 0
  let late = 0
  for (let i = 0; i < transactions; i++) {
    const { flaw, transaction } = transactionAt(seed, i)
    if (BROKEN.includes(flaw)) {
      broken[flaw]++
      continue
    }
    accepted++
    if (transaction.status !== 'completed') continue
    const { user_id: user, category, created_at: time } = transaction
    const from = partitionOf(user!, partitions)
    const start = Math.floor(time / WINDOW) * WINDOW
    if (start + WINDOW <= seen(`${from}>${partitionOf(category, partitions)}`, time) - GRACE) late++
    else {
      const key = `${category}|${start}`
      const total = revenue.get(key) ?? { orders: 0, cents: 0 }
      revenue.set(key, { orders: total.orders + 1, cents: total.cents + Math.round(transaction.amount * 100) })
    }
    if (time + ALERT_WINDOW >= seen(`${from}`, time) - GRACE) {
      const times = paymentTimes.get(user!)
      if (times) times.push(time)
      else paymentTimes.set(user!, [time])
    }
  }
  return { revenue, alerted: alertedUsers(paymentTimes), transactions, accepted, late, broken }
}

function alertedUsers(paymentTimes: ReadonlyMap<string, number[]>): Set<string> {
  const alerted = new Set<string>()
  for (const [user, times] of paymentTimes) {
    times.sort((a, b) => a - b)
    if (times.some((time, i) => times[i + ALERT_ABOVE] - time <= ALERT_WINDOW)) alerted.add(user)
  }
  return alerted
}

const partitionOf = (key: string, partitions: number) => partitionFor(Buffer.from(key), partitions)
