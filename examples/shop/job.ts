import {
  aggregate,
  avro,
  count,
  filter,
  groupBy,
  groupByKey,
  map,
  minutes,
  nullable,
  peek,
  RejectedRecord,
  type SinkDefinition,
  seconds,
  sliding,
  stream,
  string,
  sum,
  type Topology,
  to,
  topology,
  toStream,
  tumbling,
  type Windowed,
  windowed,
  windowedBy,
} from 'millrace'
import { schema } from '../common/schemas.ts'
import type { Transaction } from './generate.ts'

export const WINDOW = minutes(1)
export const GRACE = seconds(10)
export const ALERT_WINDOW = minutes(5)
/** More payments than this inside any five minutes raise an alert. */
export const ALERT_ABOVE = 40

export interface Revenue {
  orders: number
  revenue: number
}

export interface Alert {
  user_id: string
  payments: number
  window_start: number
  window_end: number
}

/** Where the results go; `sinks.ts` makes them from the environment. */
export interface ShopSinks {
  readonly revenue: SinkDefinition<Windowed<string>, Revenue>
  readonly transactions: SinkDefinition<string | null, Transaction>
}

/**
 * The main job: revenue per category and minute, alerts about users who pay too often, and every transaction in the
 * lake. What is broken goes to the dead letters, with the reason.
 */
export function shop(sinks: ShopSinks, name = 'shop'): Topology {
  const payments = stream(topicOf(name, 'transactions'), {
    key: nullable(string()),
    value: avro<Transaction>(schema('transaction')),
  }).pipe(peek(refuseBroken))

  const completed = payments.pipe(filter((payment) => payment.status === 'completed'))

  const revenue = completed.pipe(
    groupBy((payment) => payment.category, { value: avro<Transaction>(schema('transaction')) }),
    windowedBy(tumbling(WINDOW, { grace: GRACE })),
    aggregate('revenue', { orders: count(), revenue: sum((payment) => payment.amount) }),
    toStream(),
  )

  const alerts = completed.pipe(
    groupByKey(),
    windowedBy(sliding(ALERT_WINDOW, { grace: GRACE })),
    count('payments-per-user'),
    toStream(),
    filter((payments) => payments !== null && payments > ALERT_ABOVE),
    map((payments, { key, window }): [string, Alert] => [
      key!,
      { user_id: key!, payments: payments!, window_start: window.start, window_end: window.end },
    ]),
  )

  return topology(name, [
    revenue.pipe(
      to(topicOf(name, 'revenue-per-minute'), { key: windowed(string()), value: avro<Revenue>(schema('revenue')) }),
    ),
    revenue.pipe(to(sinks.revenue)),
    alerts.pipe(to(topicOf(name, 'alerts'), { key: string(), value: avro<Alert>(schema('alert')) })),
    payments.pipe(to(sinks.transactions)),
  ])
}

/** Topics of a shop under another name are kept apart. */
export const topicOf = (name: string, topic: string): string => (name === 'shop' ? topic : `${name}-${topic}`)

function refuseBroken(transaction: Transaction): void {
  if (transaction.user_id === null) throw new RejectedRecord('no user')
  if (transaction.amount < 0) throw new RejectedRecord('negative amount')
}
