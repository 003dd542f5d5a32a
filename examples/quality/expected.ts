import type { Arrival } from '../common/arrivals.ts'
import { WINDOW } from './job.ts'
import type { CleanOrder, QualityScore, RawOrder } from './model.ts'

export interface Expected {
  /** By order id. */
  readonly clean: ReadonlyMap<string, CleanOrder>
  /** The fields or rules that are wrong, by `partner|time`. */
  readonly rejected: ReadonlyMap<string, readonly string[]>
  /** By `partner|window start`. */
  readonly scores: ReadonlyMap<string, QualityScore>
}

/** Each order by itself, with plain conditions. */
export function expected(arrivals: readonly Arrival[]): Expected {
  const clean = new Map<string, CleanOrder>()
  const rejected = new Map<string, string[]>()
  const scores = new Map<string, QualityScore>()
  for (const { key, value, timestamp, fate } of arrivals) {
    const order = value as RawOrder
    // Without an id nobody can tell a copy; and whether it is too late, only the score's window says.
    if (fate === 'broken' || (fate !== 'in time' && order.order_id !== '')) continue
    const reasons = wrongIn(order)
    if (reasons.length > 0) rejected.set(`${key}|${timestamp}`, reasons)
    else clean.set(order.order_id, { ...order, placed_at: Date.parse(order.placed_at) })
    if (fate === 'late') continue
    const window = `${key}|${Math.floor(timestamp / WINDOW) * WINDOW}`
    const before = scores.get(window) ?? { orders: 0, clean: 0 }
    const orders = before.orders + 1
    const accepted = before.clean + (reasons.length === 0 ? 1 : 0)
    scores.set(window, { orders, clean: accepted, score: accepted / orders })
  }
  return { clean, rejected, scores }
}

function wrongIn({ order_id, email, country, quantity, price, total, placed_at }: RawOrder): string[] {
  const fields = [
    ...(order_id === '' ? ['order_id'] : []),
    ...(/^\S+@\S+\.\S+$/.test(email) ? [] : ['email']),
    ...(country.length === 2 && country === country.toUpperCase() ? [] : ['country']),
    ...(quantity > 0 ? [] : ['quantity']),
    ...(Number.isNaN(Date.parse(placed_at)) ? ['placed_at'] : []),
  ]
  if (fields.length > 0) return fields
  return [
    ...(Math.abs(total - quantity * price) > 0.005 ? ['total is not quantity times price'] : []),
    ...(total > 10_000 ? ['more than 10,000'] : []),
  ]
}
