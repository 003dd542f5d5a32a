import { minutes } from 'millrace'
import { type Arrival, arrivals, type Input, SPAN, START } from '../common/arrivals.ts'
import { type Draws, drawsFor } from '../common/random.ts'
import type { Card, Login, Payment } from './model.ts'

const COUNTRIES = ['DE', 'FR', 'GB', 'JP', 'US']

/** Cards, logins and payments of three hours; in every few hundred records somebody tries stolen cards. */
export function generate(seed: number, records: number): Arrival[] {
  const users = Math.ceil(records / 25)
  const home = (user: number) => COUNTRIES[drawsFor(seed, user, 1).below(COUNTRIES.length)]
  const inputs: Input[] = []
  for (let user = 0; user < users; user++) {
    const card: Card = { card_id: `card-${user}`, country: home(user) }
    inputs.push({ topic: 'cards', key: card.card_id, value: card, timestamp: START - minutes(1) })
  }
  const pay = (draw: Draws, user: number, card: number, timestamp: number) => {
    const payment: Payment = {
      payment_id: draw.hex() + draw.hex(),
      user_id: `user-${user}`,
      card_id: `card-${card}`,
      amount: (100 + draw.below(49_901)) / 100,
      paid_at: timestamp,
    }
    inputs.push({ topic: 'payments', key: payment.user_id, value: payment, timestamp })
  }
  const signIn = (draw: Draws, user: number, country: string, timestamp: number) => {
    const login: Login = { login_id: draw.hex() + draw.hex(), user_id: `user-${user}`, country }
    inputs.push({ topic: 'logins', key: login.user_id, value: login, timestamp })
  }
  for (let i = 0; i < records; i++) {
    const draw = drawsFor(seed, i, 2)
    const user = draw.below(users)
    const timestamp = START + Math.floor(((i + 1) * SPAN) / records)
    if (i % 300 === 150) {
      signIn(draw, user, home(user), timestamp)
      for (let tries = 3 + draw.below(5), at = timestamp; tries > 0; tries--) {
        at += 5_000 + draw.below(40_000)
        pay(draw, user, draw.below(users), at)
      }
    } else if (draw.below(10) < 6) pay(draw, user, user, timestamp)
    // People travel.
    else signIn(draw, user, draw.below(20) === 0 ? COUNTRIES[draw.below(5)] : home(user), timestamp)
  }
  return arrivals(seed, inputs, ['cards'])
}
