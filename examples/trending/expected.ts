import { type Arrival, SPAN } from '../common/arrivals.ts'
import { PARTITIONS } from '../common/feed.ts'
import { ADVANCE, GRACE, rank, TOP, WINDOW } from './job.ts'
import type { Sale, Trend } from './model.ts'

/** Every window's ten best by `category|window start`, each counted by itself. */
export function expectedTrends(arrivals: readonly Arrival[]): Map<string, Trend> {
  const sold = new Map<string, Map<string, number>>()
  for (const { value, fate } of arrivals) {
    if (fate !== 'in time' && fate !== 'copy') continue
    const { product_id, category, quantity, sold_at } = value as Sale
    const newest = Math.floor(sold_at / ADVANCE) * ADVANCE
    for (let start = newest; start > sold_at - WINDOW; start -= ADVANCE) {
      const window = `${category}|${start}`
      const products = sold.get(window) ?? new Map<string, number>()
      products.set(product_id, (products.get(product_id) ?? 0) + quantity)
      sold.set(window, products)
    }
  }
  return new Map(
    [...sold].map(([window, products]) => {
      const ranked = [...products].map(([product_id, sold]) => ({ product_id, sold }))
      return [window, { products: ranked.sort((a, b) => rank(b) - rank(a)).slice(0, TOP) }]
    }),
  )
}

/**
 * Windows that ended before this have closed for certain: each partition has its own time, and may be as far behind as
 * ten of its records.
 */
export function closedBefore(arrivals: readonly Arrival[]): number {
  const end = arrivals.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0)
  return end - GRACE - 2 * ADVANCE - (10 * SPAN * PARTITIONS) / arrivals.length
}
