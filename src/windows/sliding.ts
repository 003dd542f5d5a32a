import { checkWhole } from '../options.ts'
import type { SlidingWindows, WindowOptions } from './windows.ts'

/**
 * A window for every distinct set of records that are at most `timeDifference` apart: [t - timeDifference, t] ends at
 * each record, and [t + 1, t + 1 + timeDifference] starts right after it. Both ends are inclusive.
 *
 * Throws `INVALID_OPTION` for a time difference below 1 or a grace below 0.
 *
 * @example
 * ```ts
 * windowedBy(sliding(seconds(30), { grace: seconds(5) }))   // "the last 30 seconds", as of each record
 * ```
 */
export function sliding(timeDifference: number, { grace = 0 }: WindowOptions = {}): SlidingWindows {
  checkWhole('sliding', 'timeDifference', timeDifference, 1)
  checkWhole('sliding', 'grace', grace, 0)
  return Object.freeze<SlidingWindows>({
    kind: 'sliding',
    timeDifference,
    grace,
    describe: Object.freeze({ kind: 'sliding', timeDifference, grace }),
  })
}
