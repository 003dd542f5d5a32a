import { seconds } from 'millrace'
import { type Arrival, arrivals, type Input, SPAN, START } from '../common/arrivals.ts'
import { drawsFor } from '../common/random.ts'
import type { Click, Step } from './model.ts'

const CAMPAIGNS = ['newsletter', 'search', 'social', 'direct']

/** Visits of a few clicks, half a minute apart on average; users come back, some of them before their pause was long. */
export function generate(seed: number, records: number): Arrival[] {
  const visits = Math.ceil(records / 6)
  const users = Math.ceil(visits / 3)
  const inputs: Input[] = []
  for (let visit = 0; visit < visits; visit++) {
    const draw = drawsFor(seed, visit, 1)
    const user_id = `user-${draw.below(users)}`
    const campaign = CAMPAIGNS[draw.below(CAMPAIGNS.length)]
    // How keen the visitor is decides how far the visit goes.
    const keen = draw.below(100)
    let clicked_at = START + Math.floor((visit * SPAN) / visits)
    for (let click = 1 + draw.below(11); click > 0; click--) {
      const step: Step = keen >= 90 && click === 1 ? 'purchase' : keen >= 60 && click <= 3 ? 'cart' : 'view'
      const value: Click = { click_id: draw.hex() + draw.hex(), user_id, campaign, step, clicked_at }
      inputs.push({ topic: 'clicks', key: user_id, value, timestamp: clicked_at })
      clicked_at += seconds(1) + draw.below(seconds(60))
    }
  }
  return arrivals(seed, inputs)
}
