import { expect, it } from 'vitest'
import { eventAt, type Flaw, transactionAt, USERS, userAt } from '../../../examples/shop/generate.ts'

const N = 100_000
const transactions = Array.from({ length: N }, (_, i) => transactionAt(42, i))
const events = Array.from({ length: N }, (_, i) => eventAt(42, i))
const count = <T>(items: readonly T[], is: (item: T) => boolean) => items.filter(is).length

it('makes the same record of a seed and a number, and others of another seed', () => {
  for (const i of [0, 1, 17, N - 1]) {
    expect(transactionAt(42, i)).toEqual(transactions[i])
    expect(transactionAt(43, i)).not.toEqual(transactions[i])
    expect(eventAt(42, i)).toEqual(events[i])
    expect(userAt(42, i)).toEqual(userAt(42, i))
  }
})

it('breaks, repeats and delays a few transactions', () => {
  const flaws = (flaw: Flaw) => count(transactions, (of) => of.flaw === flaw)
  for (const flaw of ['bad-magic', 'unknown-schema', 'null-user', 'negative-amount'] as const) {
    expect(flaws(flaw)).toBeGreaterThan(20)
    expect(flaws(flaw)).toBeLessThan(100)
  }
  expect(flaws('late')).toBeGreaterThan(200)
  expect(flaws('duplicate')).toBeGreaterThan(200)
  expect(flaws('none')).toBeGreaterThan(0.98 * N)
  expect(count(transactions, ({ transaction }) => transaction.user_id === null)).toBe(flaws('null-user'))
  expect(count(transactions, ({ transaction }) => transaction.amount < 0)).toBe(flaws('negative-amount'))
})

it('repeats a transaction as it was', () => {
  const ids = new Set(
    transactions.filter(({ flaw }) => flaw !== 'duplicate').map((of) => of.transaction.transaction_id),
  )
  const repeated = transactions.filter(({ flaw }) => flaw === 'duplicate')
  // What is repeated may itself have been spoiled on its way; it has the id of one that was made shortly before.
  for (const { transaction } of repeated) {
    expect(ids.has(transaction.transaction_id) || repeated.some((of) => of.transaction === transaction)).toBe(true)
  }
  expect(ids.size).toBe(transactions.length - repeated.length)
})

it('lets event time jitter, and a few come ten minutes late or more', () => {
  let latest = 0
  let backwards = 0
  for (const { flaw, transaction } of transactions) {
    if (transaction.created_at < latest) backwards++
    if (flaw === 'none') expect(latest - transaction.created_at).toBeLessThan(10_000)
    if (flaw === 'late') expect(latest - transaction.created_at).toBeGreaterThan(590_000)
    latest = Math.max(latest, transaction.created_at)
  }
  expect(backwards).toBeGreaterThan(N / 4)
})

it('has amounts in whole cents and everybody’s favourites', () => {
  for (const { transaction } of transactions) {
    expect(Math.abs(transaction.amount * 100 - Math.round(transaction.amount * 100))).toBeLessThan(1e-6)
  }
  const perUser = new Map<string | null, number>()
  for (const { transaction } of transactions) {
    perUser.set(transaction.user_id, (perUser.get(transaction.user_id) ?? 0) + 1)
  }
  expect(Math.max(...perUser.values())).toBeGreaterThan(10 * (N / perUser.size))
})

it('has all kinds of events, users first new and then changing', () => {
  expect(count(events, ({ type }) => type === 'page_view')).toBeGreaterThan(0.75 * N)
  expect(count(events, ({ type }) => type === 'add_to_cart')).toBeGreaterThan(0.1 * N)
  expect(count(events, ({ type }) => type === 'purchase')).toBeGreaterThan(0.03 * N)
  const users = Array.from({ length: USERS }, (_, i) => userAt(42, i))
  expect(new Set(users.map((user) => user.user_id)).size).toBe(USERS)
  expect(users.every(({ segment }) => segment === 'new')).toBe(true)
  expect(userAt(42, USERS + 5).updated_at).toBeGreaterThan(userAt(42, 0).updated_at)
})
