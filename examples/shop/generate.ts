import { drawsFor } from '../common/random.ts'

/** Event time begins on 2026-01-01; 3,333 transactions a minute. */
const START = Date.UTC(2026, 0, 1)
const MS_PER_TRANSACTION = 18
const JITTER = 2_000
export const USERS = 5_000
const CATEGORIES = ['books', 'electronics', 'fashion', 'grocery', 'home', 'music', 'sports', 'toys']
const CURRENCIES = ['USD', 'EUR', 'GBP', 'JPY']
const COUNTRIES = ['DE', 'FR', 'GB', 'JP', 'US']

export interface Transaction {
  transaction_id: string
  user_id: string | null
  product_id: number
  category: string
  amount: number
  currency: string
  status: 'completed' | 'pending' | 'failed'
  created_at: number
}

export interface User {
  user_id: string
  country: string
  segment: 'new' | 'regular' | 'vip'
  updated_at: number
}

export interface Event {
  event_id: string
  user_id: string
  type: 'page_view' | 'add_to_cart' | 'purchase'
  product_id: number
  occurred_at: number
}

/** What is wrong with a transaction, as life would have it. */
export type Flaw = 'none' | 'late' | 'duplicate' | 'bad-magic' | 'unknown-schema' | 'null-user' | 'negative-amount'

export interface GeneratedTransaction {
  readonly flaw: Flaw
  readonly transaction: Transaction
}

/** Transaction number `i`, always the same for a seed. About 3 in 1,000 are late, 3 repeated, 2 broken. */
export function transactionAt(seed: number, i: number): GeneratedTransaction {
  const draw = drawsFor(seed, i)
  const flaw = flawOf(draw.below(10_000), i)
  if (flaw === 'duplicate') return { flaw, transaction: plainTransaction(seed, i - 1 - draw.below(Math.min(i, 50))) }
  const transaction = plainTransaction(seed, i)
  switch (flaw) {
    case 'late':
      return {
        flaw,
        transaction: { ...transaction, created_at: transaction.created_at - 600_000 - draw.below(1_200_000) },
      }
    case 'null-user':
      return { flaw, transaction: { ...transaction, user_id: null } }
    case 'negative-amount':
      return { flaw, transaction: { ...transaction, amount: -transaction.amount } }
    default:
      return { flaw, transaction }
  }
}

function flawOf(draw: number, i: number): Flaw {
  if (draw < 30) return 'late'
  if (draw < 60) return i > 0 ? 'duplicate' : 'none'
  if (draw < 65) return 'bad-magic'
  if (draw < 70) return 'unknown-schema'
  if (draw < 75) return 'null-user'
  if (draw < 80) return 'negative-amount'
  return 'none'
}

function plainTransaction(seed: number, i: number): Transaction {
  const draw = drawsFor(seed, i, 1)
  const status = draw.below(100)
  return {
    transaction_id: draw.hex() + draw.hex(),
    user_id: userName(draw.below(2 ** 31)),
    product_id: draw.below(10_000),
    category: CATEGORIES[draw.below(CATEGORIES.length)],
    amount: (100 + draw.below(49_901)) / 100,
    currency: CURRENCIES[draw.below(CURRENCIES.length)],
    status: status < 75 ? 'completed' : status < 90 ? 'pending' : 'failed',
    created_at: START + i * MS_PER_TRANSACTION + draw.below(2 * JITTER + 1) - JITTER,
  }
}

// A few users buy a lot: user r comes up with a weight of about 1 / (r + 50).
function userName(draw: number): string {
  const spread = Math.log((USERS + 50) / 50)
  const rank = Math.floor(50 * Math.exp((draw / 2 ** 31) * spread) - 50)
  return `user-${Math.min(rank, USERS - 1)}`
}

/** Update number `i` of the users: first every user once, then changes of any. */
export function userAt(seed: number, i: number): User {
  const draw = drawsFor(seed, i, 2)
  return {
    user_id: `user-${i < USERS ? i : draw.below(USERS)}`,
    country: COUNTRIES[draw.below(COUNTRIES.length)],
    segment: i < USERS ? 'new' : draw.below(4) === 0 ? 'vip' : 'regular',
    updated_at: START + Math.max(0, i - USERS) * 1_000,
  }
}

/** Event number `i`: visits look at much, put some of it into the cart, and buy a little. */
export function eventAt(seed: number, i: number): Event {
  const draw = drawsFor(seed, i, 3)
  const step = draw.below(100)
  return {
    event_id: draw.hex() + draw.hex(),
    user_id: userName(draw.below(2 ** 31)),
    type: step < 80 ? 'page_view' : step < 95 ? 'add_to_cart' : 'purchase',
    product_id: draw.below(10_000),
    occurred_at: START + i * 4 * MS_PER_TRANSACTION + draw.below(JITTER),
  }
}
