import { type Arrival, arrivals, type Input, SPAN, START } from '../common/arrivals.ts'
import { drawsFor } from '../common/random.ts'
import type { Sale } from './model.ts'

const CATEGORIES = ['books', 'fashion', 'home', 'toys']
const PRODUCTS = 400
/** How many fashions the three hours see. */
const FASHIONS = 20

/** Sales of four hundred products; what is in fashion changes as time goes by. */
export function generate(seed: number, records: number): Arrival[] {
  const inputs: Input[] = []
  for (let i = 0; i < records; i++) {
    const draw = drawsFor(seed, i, 1)
    const era = Math.floor((i * FASHIONS) / records)
    // One sale in three is of the five products that are in fashion.
    const product =
      draw.below(3) === 0 ? drawsFor(seed, era * 5 + draw.below(5), 2).below(PRODUCTS) : draw.below(PRODUCTS)
    const sale: Sale = {
      sale_id: draw.hex() + draw.hex(),
      user_id: `user-${draw.below(2_000)}`,
      product_id: `product-${product}`,
      category: CATEGORIES[product % CATEGORIES.length],
      quantity: 1 + draw.below(3),
      sold_at: START + Math.floor((i * SPAN) / records),
    }
    inputs.push({ topic: 'sales', key: sale.user_id, value: sale, timestamp: sale.sold_at })
  }
  return arrivals(seed, inputs)
}
