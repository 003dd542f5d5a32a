import type { Arrival } from '../common/arrivals.ts'
import { ALERT_FROM, LOGIN_WITHIN, WINDOW } from './job.ts'
import { alertOf, type Card, type FraudAlert, type Login, type Payment, type Suspicion } from './model.ts'

/** The alerts by `user|window start`, worked out with plain loops over everything at once. */
export function expectedAlerts(arrivals: readonly Arrival[]): Map<string, FraudAlert> {
  const inTime = arrivals.filter(({ fate }) => fate === 'in time')
  const of = <T>(topic: string) => inTime.filter((arrival) => arrival.topic === topic).map(({ value }) => value as T)
  const cards = new Map(of<Card>('cards').map(({ card_id, country }) => [card_id, country]))
  const logins = Map.groupBy(
    inTime.filter(({ topic }) => topic === 'logins'),
    ({ key }) => key!,
  )
  const suspicions = new Map<string, Suspicion[]>()
  for (const { payment_id, user_id, card_id, amount, paid_at } of of<Payment>('payments')) {
    const card_country = cards.get(card_id)!
    for (const { value, timestamp } of logins.get(user_id) ?? []) {
      const { login_id, country: login_country } = value as Login
      if (timestamp > paid_at || timestamp < paid_at - LOGIN_WITHIN || login_country === card_country) continue
      const found = suspicions.get(user_id) ?? []
      found.push({ payment_id, paid_at, amount, card_country, login_id, login_country })
      suspicions.set(user_id, found)
    }
  }
  const alerts = new Map<string, FraudAlert>()
  for (const [user, found] of suspicions) {
    // A sliding window ends at each record, and one begins right after it.
    for (const start of new Set(found.flatMap(({ paid_at }) => [paid_at - WINDOW, paid_at + 1]))) {
      const inside = found.filter(({ paid_at }) => paid_at >= start && paid_at <= start + WINDOW)
      const alert = alertOf(user, inside)
      if (alert.payments >= ALERT_FROM) alerts.set(`${user}|${start}`, alert)
    }
  }
  return alerts
}
