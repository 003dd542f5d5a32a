import {
  aggregate,
  avro,
  collect,
  deduplicate,
  filter,
  globalTable,
  groupByKey,
  join,
  joinWindows,
  map,
  minutes,
  sliding,
  stream,
  string,
  type Topology,
  to,
  topology,
  toStream,
  windowed,
  windowedBy,
} from 'millrace'
import { schema } from '../common/schemas.ts'
import { alertOf, type Card, type FraudAlert, type Login, type Payment, type Suspicion } from './model.ts'

export const LOGIN_WITHIN = minutes(15)
export const WINDOW = minutes(5)
/** As many payments with foreign cards within the window raise an alert. */
export const ALERT_FROM = 3
/** How late a record may be and count. */
const GRACE = minutes(1)

export const serdes = {
  payments: avro<Payment>(schema('payment')),
  logins: avro<Login>(schema('login')),
  cards: avro<Card>(schema('card')),
  alerts: { key: windowed(string(), { size: WINDOW }), value: avro<FraudAlert>(schema('fraud-alert')) },
}

/** Users who have signed in from one country and pay with several cards of others. */
export function fraud(name = 'fraud'): Topology {
  // What is reported twice must not count twice. Producers repeat at once, so a minute is enough.
  const payments = stream(`${name}-payments`, { key: string(), value: serdes.payments }).pipe(
    deduplicate('payments-once', { by: (payment) => payment.payment_id, within: minutes(1) }),
  )
  const logins = stream(`${name}-logins`, { key: string(), value: serdes.logins }).pipe(
    deduplicate('logins-once', { by: (login) => login.login_id, within: minutes(1) }),
  )
  // A global table is in every instance as a whole. Cards are few and are asked for by another key than the payments
  // have: as a table, all payments would have to be repartitioned by card, and back by user for the next join.
  const cards = globalTable(`${name}-cards`, { key: string(), value: serdes.cards, store: 'cards' })

  const suspicious = payments.pipe(
    join(
      cards,
      (payment) => payment.card_id,
      (payment, card) => ({ ...payment, card_country: card.country }),
    ),
    // Both topics have users for keys: nothing is repartitioned. Only logins before the payment count, so `after` is 0.
    join('recent-logins', logins, suspicionOf, joinWindows({ before: LOGIN_WITHIN, after: 0, grace: GRACE })),
    filter((of) => of.card_country !== of.login_country),
  )

  const alerts = suspicious.pipe(
    groupByKey(),
    // Sliding: any five minutes. Tumbling windows would miss three payments on both sides of a full minute.
    windowedBy(sliding(WINDOW, { grace: GRACE })),
    // What an alert is about comes with it. A limit, since the array goes to the changelog as a whole; so far above
    // the threshold the count may stop as well.
    aggregate('foreign-cards', collect<Suspicion>(undefined, { limit: 100 })),
    toStream(),
    map((evidence, windowedUser) => [windowedUser, alertOf(windowedUser.key, evidence ?? [])]),
    filter((alert) => alert.payments >= ALERT_FROM),
  )

  // An alert comes again when its window has more: a reader keeps the last one per key, as of a table.
  return topology(name, [alerts.pipe(to(`${name}-alerts`, serdes.alerts))])
}

function suspicionOf(payment: Payment & { card_country: string }, login: Login): Suspicion {
  const { payment_id, paid_at, amount, card_country } = payment
  return { payment_id, paid_at, amount, card_country, login_id: login.login_id, login_country: login.country }
}
