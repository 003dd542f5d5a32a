/** The steps of the funnel, in order. */
export const STEPS = ['view', 'cart', 'purchase'] as const
export type Step = (typeof STEPS)[number]

export interface Click {
  readonly click_id: string
  readonly user_id: string
  readonly campaign: string
  readonly step: Step
  readonly clicked_at: number
}

export interface Visit {
  readonly campaign: string
  readonly clicks: number
  readonly furthest: Step
}

export interface Funnel {
  readonly visits: number
  readonly carts: number
  readonly purchases: number
  readonly conversion: number
}
