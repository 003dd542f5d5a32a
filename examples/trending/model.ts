export interface Sale {
  readonly sale_id: string
  readonly user_id: string
  readonly product_id: string
  readonly category: string
  readonly quantity: number
  readonly sold_at: number
}

export interface ProductSales {
  readonly product_id: string
  readonly sold: number
}

/** Best first. */
export interface Trend {
  readonly products: readonly ProductSales[]
}
