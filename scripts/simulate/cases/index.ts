import type { SimulationCase } from './case.ts'
import { lookups, streamJoins, tableJoins } from './joins.ts'
import { disk, refusals } from './outside.ts'
import { calls, hops, timers } from './processing.ts'
import { standbys } from './standbys.ts'
import { sessions, windows, words } from './windows.ts'

export type { SimulationCase } from './case.ts'

export const CASES: readonly SimulationCase[] = [
  words,
  windows,
  sessions,
  streamJoins,
  tableJoins,
  lookups,
  timers,
  calls,
  hops,
  refusals,
  disk,
  standbys,
]
