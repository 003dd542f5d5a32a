import { z } from 'zod'

export interface RawOrder {
  readonly order_id: string
  readonly email: string
  readonly country: string
  readonly quantity: number
  readonly price: number
  readonly total: number
  readonly placed_at: string
}

/** What each field must be; `placed_at` becomes ms on the way. */
export const cleanOrder = z.object({
  order_id: z.string().min(1),
  email: z.email(),
  country: z.string().regex(/^[A-Z]{2}$/),
  quantity: z.number().int().positive(),
  price: z.number().positive(),
  total: z.number().positive(),
  placed_at: z.iso.datetime().transform((text) => Date.parse(text)),
})

export type CleanOrder = z.infer<typeof cleanOrder>

export interface RejectedOrder {
  readonly order_id: string
  readonly reasons: readonly string[]
  readonly order: string
}

export interface QualityScore {
  readonly orders: number
  readonly clean: number
  readonly score: number
}
