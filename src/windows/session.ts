import { checkWhole } from '../options.ts'
import type { SessionWindows, WindowOptions } from './windows.ts'

/**
 * Windows of activity: records of a key that are at most `gap` apart are in one session, from the first to the last of
 * them, both ends inclusive. A record between two sessions may merge them.
 *
 * Throws `INVALID_OPTION` for a gap or a grace below 0.
 *
 * @example
 * ```ts
 * windowedBy(session(minutes(30), { grace: minutes(1) }))
 * ```
 */
export function session(gap: number, { grace = 0 }: WindowOptions = {}): SessionWindows {
  checkWhole('session', 'gap', gap, 0)
  checkWhole('session', 'grace', grace, 0)
  return Object.freeze<SessionWindows>({
    kind: 'session',
    gap,
    grace,
    describe: Object.freeze({ kind: 'session', gap, grace }),
  })
}
