import type { Family } from '../run.ts'
import { cogrouped } from './cogroup.ts'
import { foreignKeyJoins } from './fk-join.ts'
import { globalTableJoin } from './global-table-join.ts'
import { pipeline } from './pipeline.ts'
import { streamStreamJoin } from './stream-stream-join.ts'
import { streamTableJoin } from './stream-table-join.ts'
import { merged, repartitioned, splitUp } from './streams.ts'
import { tableAggregate } from './table-aggregate.ts'
import { tableFilter } from './table-filter.ts'
import { tableTableJoin } from './table-table-join.ts'
import { windowedAggregation } from './windowed.ts'

/** By file name. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  'stream-stream-join': streamStreamJoin,
  'stream-table-join': streamTableJoin,
  pipeline,
  'self-join': streamStreamJoin,
  'global-table-join': globalTableJoin,
  'fk-join': foreignKeyJoins,
  tumbling: windowedAggregation,
  hopping: windowedAggregation,
  sliding: windowedAggregation,
  session: windowedAggregation,
  unlimited: windowedAggregation,
  aggregate: windowedAggregation,
  'emit-on-close': windowedAggregation,
  'table-aggregate': tableAggregate,
  'table-filter': tableFilter,
  'table-table-join': tableTableJoin,
  'suppress-window-close': windowedAggregation,
  'suppress-time-limit': windowedAggregation,
  cogroup: cogrouped,
  split: splitUp,
  merge: merged,
  repartition: repartitioned,
}
