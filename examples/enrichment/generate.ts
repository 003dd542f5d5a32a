import { minutes } from 'millrace'
import { type Arrival, arrivals, type Input, SPAN, START } from '../common/arrivals.ts'
import { drawsFor } from '../common/random.ts'
import type { Transaction, User } from './model.ts'

const COUNTRIES = ['DE', 'FR', 'GB', 'JP', 'US']

/** Users, who move and are promoted while they buy. */
export function generate(seed: number, records: number): Arrival[] {
  const users = Math.ceil(records / 25)
  const inputs: Input[] = []
  const changed = (i: number, user: number, timestamp: number) => {
    const draw = drawsFor(seed, i, 1)
    const value: User = {
      user_id: `user-${user}`,
      country: COUNTRIES[draw.below(COUNTRIES.length)],
      segment: timestamp < START ? 'new' : draw.below(4) === 0 ? 'vip' : 'regular',
      updated_at: timestamp,
    }
    inputs.push({ topic: 'users', key: value.user_id, value, timestamp })
  }
  for (let user = 0; user < users; user++) changed(user, user, START - minutes(1))
  for (let i = 0; i < records; i++) {
    const draw = drawsFor(seed, i, 2)
    const timestamp = START + Math.floor((i * SPAN) / records)
    const user = draw.below(users)
    if (draw.below(5) === 0) {
      changed(users + i, user, timestamp)
      continue
    }
    const value: Transaction = {
      transaction_id: draw.hex() + draw.hex(),
      user_id: `user-${user}`,
      product_id: draw.below(10_000),
      category: 'all',
      amount: (100 + draw.below(49_901)) / 100,
      currency: 'EUR',
      status: 'completed',
      created_at: timestamp,
    }
    inputs.push({ topic: 'transactions', key: value.user_id, value, timestamp })
  }
  return arrivals(seed, inputs, ['users'])
}
