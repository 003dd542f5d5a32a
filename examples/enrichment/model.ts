import type { User } from '../shop/generate.ts'

export type { Transaction, User } from '../shop/generate.ts'

/** What the product service knows. */
export interface Product {
  readonly name: string
  readonly vat: number
}

export interface Enriched {
  readonly transaction_id: string
  readonly user_id: string
  readonly amount: number
  readonly country: string
  readonly segment: User['segment']
  readonly product: string
  readonly vat: number
}
