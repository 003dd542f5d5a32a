import { checkWhole } from '../options.ts'
import type { AlignedWindows } from './windows.ts'

export interface UnlimitedOptions {
  /** Where the window starts, in ms since the epoch. Default 0. */
  readonly start?: number
}

/**
 * One window from `start` on that never ends. Records before it are in no window. It never closes: final results of it
 * are refused when the topology is built.
 *
 * Throws `INVALID_OPTION` for a start that is not a whole number of at least 0.
 */
export function unlimited({ start = 0 }: UnlimitedOptions = {}): AlignedWindows {
  checkWhole('unlimited', 'start', start, 0)
  return Object.freeze<AlignedWindows>({
    kind: 'unlimited',
    size: Number.POSITIVE_INFINITY,
    grace: 0,
    advance: Number.POSITIVE_INFINITY,
    describe: Object.freeze({ kind: 'unlimited', start }),
    firstStart: () => start,
    endOf: () => Number.POSITIVE_INFINITY,
    assign(timestamp, visit) {
      if (start <= timestamp) visit(start, Number.POSITIVE_INFINITY)
    },
  })
}
