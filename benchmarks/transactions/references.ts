/** The right results of the transactions jobs, computed in one batch from whole cents, without any stream processing. */
import { Checksum } from '../suite/checksum.ts'
import {
  BASE,
  type DrawnTransaction,
  drawClicks,
  drawTransactions,
  idOf,
  PRODUCTS,
  SPAN,
  USERS,
  userName,
} from './generate.ts'

const WINDOW = 60_000
const JOIN_DIFFERENCE = 30_000

export const groupLine = (group: string, start: number, end: number, count: number, cents: number): string =>
  `${group}|${start}|${end}|${count}|${cents}`

/** Count and revenue per group and minute. */
function perMinute(
  n: number,
  seed: number,
  groups: number,
  groupOf: (of: DrawnTransaction) => number,
  name: (group: number) => string,
): Checksum {
  const minutes = SPAN / WINDOW
  const count = new Int32Array(groups * minutes)
  const cents = new Float64Array(groups * minutes)
  for (const drawn of drawTransactions(n, seed)) {
    if (drawn.status !== 'completed') continue
    const at = groupOf(drawn) * minutes + Math.floor((drawn.timestamp - BASE) / WINDOW)
    count[at]++
    cents[at] += drawn.cents
  }
  const sum = new Checksum()
  for (let at = 0; at < count.length; at++) {
    if (count[at] === 0) continue
    const start = BASE + (at % minutes) * WINDOW
    sum.add(groupLine(name(Math.floor(at / minutes)), start, start + WINDOW, count[at], cents[at]))
  }
  return sum
}

export const perUser = (n: number, seed: number): Checksum => perMinute(n, seed, USERS, ({ user }) => user, userName)

export const perProduct = (n: number, seed: number): Checksum =>
  perMinute(
    n,
    seed,
    PRODUCTS,
    ({ product }) => product,
    (product) => `product-${product}`,
  )

export function payments(n: number, seed: number): Checksum {
  const sum = new Checksum()
  for (const drawn of drawTransactions(n, seed)) {
    if (drawn.status === 'completed') sum.add(`${idOf(drawn)}|${drawn.cents}`)
  }
  return sum
}

/** Windows [s, s + 60 s], both ends included: one that ends at each record, one that starts 1 ms after each. */
export function slidingWindows(n: number, seed: number): Checksum {
  const byUser: { timestamp: number; cents: number }[][] = Array.from({ length: USERS }, () => [])
  for (const { status, user, timestamp, cents } of drawTransactions(n, seed)) {
    if (status === 'completed') byUser[user].push({ timestamp, cents })
  }
  const sum = new Checksum()
  for (const [user, rows] of byUser.entries()) {
    rows.sort((a, b) => a.timestamp - b.timestamp)
    const starts = new Set(rows.flatMap(({ timestamp }) => [timestamp - WINDOW, timestamp + 1]))
    let first = 0
    let next = 0
    let cents = 0
    for (const start of [...starts].sort((a, b) => a - b)) {
      while (next < rows.length && rows[next].timestamp <= start + WINDOW) cents += rows[next++].cents
      while (first < next && rows[first].timestamp < start) cents -= rows[first++].cents
      if (next > first) sum.add(groupLine(userName(user), start, start + WINDOW, next - first, cents))
    }
  }
  return sum
}

/** Pairs of a completed transaction and a click of one user, at most 30 s apart, both ends included. */
export function attributions(n: number, seed: number, clickCount: number): Checksum {
  const byUser: { timestamp: number; id: string }[][] = Array.from({ length: USERS }, () => [])
  for (const click of drawClicks(clickCount, seed)) {
    byUser[click.user].push({ timestamp: click.timestamp, id: idOf(click) })
  }
  const sum = new Checksum()
  for (const drawn of drawTransactions(n, seed)) {
    if (drawn.status !== 'completed') continue
    for (const { timestamp, id } of byUser[drawn.user]) {
      if (Math.abs(timestamp - drawn.timestamp) <= JOIN_DIFFERENCE) sum.add(`${idOf(drawn)}|${id}`)
    }
  }
  return sum
}
