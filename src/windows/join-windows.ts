import { MillraceError } from '../errors.ts'
import { checkWhole } from '../options.ts'
import type { WindowOptions } from './windows.ts'

/** How far apart in time two records may be to be joined; all in ms. Made by `within` or `joinWindows`. */
export interface JoinWindows {
  readonly kind: 'join'
  /** How long before a left record its right partner may be. */
  readonly before: number
  /** How long after. */
  readonly after: number
  readonly grace: number
  /** For `describe` and the plan. */
  readonly describe: Readonly<Record<string, unknown>>
}

/**
 * Joins records that are at most `timeDifference` ms apart, whichever came first; both ends inclusive.
 *
 * Throws `INVALID_OPTION` for a time difference or a grace below 0. Kafka Streams:
 * `JoinWindows.ofTimeDifferenceAndGrace`.
 *
 * @example
 * ```ts
 * orders.pipe(join('paid-orders', payments, (order, payment) => ({ ...order, payment }), within(minutes(5))))
 * ```
 */
export function within(timeDifference: number, { grace = 0 }: WindowOptions = {}): JoinWindows {
  checkWhole('within', 'timeDifference', timeDifference, 0)
  return joinWindows({ before: timeDifference, after: timeDifference, grace })
}

/**
 * Joins a left record at time t with right records in [t - before, t + after], both ends inclusive. One of the two may
 * be negative: `{ before: -1000, after: 5000 }` is "one to five seconds later". `grace` (default 0) is how much longer a
 * record is kept, and a left or outer join waits before it gives a record without a partner.
 *
 * Throws `INVALID_OPTION` when before + after is below 0, or the grace is. Kafka Streams: `JoinWindows#before`,
 * `JoinWindows#after`.
 *
 * @example
 * ```ts
 * const soonAfter = joinWindows({ before: 0, after: minutes(10), grace: seconds(30) })
 * ```
 */
export function joinWindows({
  before,
  after,
  grace = 0,
}: {
  readonly before: number
  readonly after: number
  readonly grace?: number
}): JoinWindows {
  checkWhole('joinWindows', 'before', before, Number.MIN_SAFE_INTEGER)
  checkWhole('joinWindows', 'after', after, Number.MIN_SAFE_INTEGER)
  checkWhole('joinWindows', 'grace', grace, 0)
  if (before + after < 0) {
    throw new MillraceError('INVALID_OPTION', `joinWindows: [t - ${before}, t + ${after}] is empty`, {
      hint: 'before + after must be at least 0',
    })
  }
  return Object.freeze<JoinWindows>({
    kind: 'join',
    before,
    after,
    grace,
    describe: Object.freeze({ kind: 'join', before, after, grace }),
  })
}
