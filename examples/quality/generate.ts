import { type Arrival, arrivals, type Input, SPAN, START } from '../common/arrivals.ts'
import { type Draws, drawsFor } from '../common/random.ts'
import type { RawOrder } from './model.ts'

const COUNTRIES = ['DE', 'FR', 'GB', 'JP', 'US']
export const PARTNERS = ['acme', 'globex', 'initech', 'umbrella']

/** What partners get wrong. */
const MISTAKES: readonly ((order: RawOrder) => Partial<RawOrder>)[] = [
  () => ({ order_id: '' }),
  ({ email }) => ({ email: email.replace('@', ' at ') }),
  ({ country }) => ({ country: country.toLowerCase() }),
  () => ({ quantity: 0 }),
  () => ({ placed_at: 'yesterday' }),
  () => ({ email: '', country: 'Germany' }),
  ({ total }) => ({ total: total + 1 }),
  ({ price }) => ({ quantity: 1_000, total: (1_000 * Math.round(price * 100)) / 100 }),
]

/** Orders of four partners, of which each makes more mistakes than the one before. */
export function generate(seed: number, records: number): Arrival[] {
  const inputs: Input[] = []
  for (let i = 0; i < records; i++) {
    const draw = drawsFor(seed, i, 1)
    const timestamp = START + Math.floor((i * SPAN) / records)
    const partner = draw.below(PARTNERS.length)
    const order = orderAt(draw, timestamp)
    const value = draw.below(100) < 4 * (partner + 1) ? { ...order, ...mistake(draw, order) } : order
    inputs.push({ topic: 'orders', key: PARTNERS[partner], value, timestamp })
  }
  return arrivals(seed, inputs)
}

const mistake = (draw: Draws, order: RawOrder) => MISTAKES[draw.below(MISTAKES.length)](order)

function orderAt(draw: Draws, timestamp: number): RawOrder {
  const quantity = 1 + draw.below(5)
  const cents = 1_100 + draw.below(50_000)
  return {
    order_id: draw.hex() + draw.hex(),
    email: `customer-${draw.below(5_000)}@example.org`,
    country: COUNTRIES[draw.below(COUNTRIES.length)],
    quantity,
    price: cents / 100,
    total: (quantity * cents) / 100,
    placed_at: new Date(timestamp).toISOString(),
  }
}
