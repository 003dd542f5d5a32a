/** The transactions of a shop and the clicks before them: a deterministic workload, the same on every machine. */
import { hex32, random } from '../suite/random.ts'

/** First timestamp, a whole minute. */
export const BASE = 1_750_000_020_000
/** Ten minutes of event time, however many records there are. */
export const SPAN = 600_000
export const USERS = 100_000
export const PRODUCTS = 10_000

const CATEGORIES = ['books', 'electronics', 'fashion', 'grocery', 'home', 'music', 'sports', 'toys']
const CURRENCIES = ['USD', 'EUR', 'GBP', 'JPY']
const METHODS = [null, 'card', 'paypal', 'transfer', 'wallet']
const PAGES = ['/', '/search', '/product', '/cart', '/checkout', '/help', '/account', '/deals']

export interface Transaction {
  readonly transaction_id: string
  readonly user_id: string
  readonly product_id: number
  readonly category: string
  readonly amount: number
  readonly currency: string
  readonly quantity: number
  readonly status: string
  readonly created_at: number
  readonly payment_method: string | null
}

export interface Click {
  readonly click_id: string
  readonly user_id: string
  readonly page: string
  readonly clicked_at: number
}

/** A transaction as numbers, before it becomes a record; what the references are computed from. */
export interface DrawnTransaction {
  readonly user: number
  readonly idHigh: number
  readonly idLow: number
  readonly product: number
  readonly category: number
  /** Whole cents, so that a sum of them is exact. */
  readonly cents: number
  readonly currency: number
  readonly quantity: number
  readonly status: 'completed' | 'pending' | 'failed'
  readonly timestamp: number
  readonly method: number
}

interface DrawnClick {
  readonly user: number
  readonly idHigh: number
  readonly idLow: number
  readonly page: number
  readonly timestamp: number
}

/** Zipf-like: the weight of rank r is 1 / (r + 10). Only + and / are used, so every IEEE 754 machine gets the same. */
const cumulative = new Float64Array(USERS)
for (let rank = 0, total = 0; rank < USERS; rank++) cumulative[rank] = total += 1 / (rank + 10)

function rankOf(draw: number): number {
  const x = (draw / 4294967296) * cumulative[USERS - 1]
  let low = 0
  let high = USERS - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (cumulative[middle] > x) high = middle
    else low = middle + 1
  }
  return low
}

/** Record i of n lies at i/n of the span, plus a jitter of ±2 s: nothing is ever more than 4 s out of order. */
function timestampOf(i: number, n: number, draw: number): number {
  const at = Math.floor((i * SPAN) / n) + (draw % 4001) - 2000
  return BASE + (at < 0 ? 0 : at >= SPAN ? SPAN - 1 : at)
}

export function* drawTransactions(n: number, seed: number): Generator<DrawnTransaction> {
  const next = random(seed)
  for (let i = 0; i < n; i++) {
    const user = (rankOf(next()) * 7919 + 13) % USERS
    const idHigh = next()
    const idLow = next()
    const product = next() % PRODUCTS
    const category = next() & 7
    const cents = 100 + (next() % 49_901)
    const currency = next() & 3
    const quantity = 1 + (next() % 5)
    const s = next() % 100
    const status = s < 75 ? 'completed' : s < 90 ? 'pending' : 'failed'
    const timestamp = timestampOf(i, n, next())
    const method = next() % 5
    yield { user, idHigh, idLow, product, category, cents, currency, quantity, status, timestamp, method }
  }
}

/** The users of clicks are drawn uniformly, so that a join on the user does not explode. */
export function* drawClicks(n: number, seed: number): Generator<DrawnClick> {
  const next = random(seed ^ 0x5bd1e995)
  for (let i = 0; i < n; i++) {
    const user = next() % USERS
    const idHigh = next()
    const idLow = next()
    const page = next() & 7
    yield { user, idHigh, idLow, page, timestamp: timestampOf(i, n, next()) }
  }
}

export const userName = (user: number): string => `user-${user}`
export const idOf = ({ idHigh, idLow }: { readonly idHigh: number; readonly idLow: number }): string =>
  hex32(idHigh) + hex32(idLow)

export function* transactions(n: number, seed: number): Generator<Transaction> {
  for (const drawn of drawTransactions(n, seed)) {
    yield {
      transaction_id: idOf(drawn),
      user_id: userName(drawn.user),
      product_id: drawn.product,
      category: CATEGORIES[drawn.category],
      amount: drawn.cents / 100,
      currency: CURRENCIES[drawn.currency],
      quantity: drawn.quantity,
      status: drawn.status,
      created_at: drawn.timestamp,
      payment_method: METHODS[drawn.method],
    }
  }
}

export function* clicks(n: number, seed: number): Generator<Click> {
  for (const drawn of drawClicks(n, seed)) {
    yield {
      click_id: idOf(drawn),
      user_id: userName(drawn.user),
      page: PAGES[drawn.page],
      clicked_at: drawn.timestamp,
    }
  }
}
