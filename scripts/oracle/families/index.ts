import type { Family } from '../run.ts'
import { windowedAggregation } from './windowed.ts'

/** By file name. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  tumbling: windowedAggregation,
  hopping: windowedAggregation,
  sliding: windowedAggregation,
  'emit-on-close': windowedAggregation,
  'suppress-window-close': windowedAggregation,
}
