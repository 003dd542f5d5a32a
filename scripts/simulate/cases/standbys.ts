import type { SimulationCase } from './case.ts'
import { words } from './windows.ts'

/** As `words`, with standbys that take over from the dead, and states that are warmed up before they move. */
export const standbys: SimulationCase = {
  ...words,
  name: 'standbys',
  options: { ...words.options, instances: 3, standbys: 1, acceptableLag: 3 },
}
