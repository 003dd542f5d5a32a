import type { Windowed } from '../../record.ts'

/** A value as a diagram writes it: plain data, `-` for null. */
export type MarbleValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly MarbleValue[]
  | { readonly [field: string]: MarbleValue }

export interface Marble {
  readonly key: MarbleValue | Windowed<MarbleValue>
  readonly value: MarbleValue
  readonly timestamp: number
}

/** What is done to the application between records. */
export type Deed =
  | { readonly kind: 'commit' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'clock'; readonly ms: number }

/** A row of a diagram, with one cell per step. */
export type MarbleRow =
  | { readonly kind: 'topic'; readonly label: string; readonly cells: readonly (readonly Marble[])[] }
  | { readonly kind: 'do'; readonly label: 'do'; readonly cells: readonly (readonly Deed[])[] }
  | { readonly kind: 'dropped'; readonly label: 'dropped'; readonly cells: readonly (readonly Drop[])[] }

/** How many records, or records for one window, were left out for one reason. */
export interface Drop {
  readonly reason: string
  readonly count: number
}

export interface MarbleDiagram {
  readonly rows: readonly MarbleRow[]
  /** The longest row's number of cells. */
  readonly steps: number
  /** Windows of this diagram are written with an inclusive end: [0,5]. */
  readonly inclusive: boolean
}
