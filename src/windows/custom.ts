import { MillraceError } from '../errors.ts'
import { checkWhole } from '../options.ts'
import type { AlignedWindows, WindowOptions } from './windows.ts'

/**
 * A way of your own to put positions on a line into windows; `customWindows` makes windows of it. The line is event time
 * in ms there. (In `countWindows` it is the number of the record within its key, with the same interface.)
 *
 * It must be pure: after a restart, and on every machine, the same position gives the same windows. The contract suite
 * `windowAssignerContract` tests one.
 *
 * @example Windows that follow the tide tables
 * ```ts
 * const tides: WindowAssigner = {
 *   name: 'tides',
 *   longest: hours(14),
 *   assign: (timestamp, visit) => visit(lowWaterBefore(timestamp), lowWaterAfter(timestamp)),
 *   endOf: (start) => lowWaterAfter(start),
 * }
 * windowedBy(customWindows(tides, { grace: minutes(5) }))
 * ```
 */
export interface WindowAssigner {
  /** Shown by `describe`. */
  readonly name: string
  /** More for `describe`: plain JSON. */
  readonly parameters?: Readonly<Record<string, string | number>>
  /** No window is longer than this: state and topics are kept for that long. */
  readonly longest: number
  /**
   * Calls `visit` for each window [start, end) that holds the position, ascending by start; not at all when there is
   * none. Bounds are whole numbers of at least 0. Two windows with the same start are the same window.
   */
  assign(position: number, visit: (start: number, end: number) => void): void
  /** The end of the window that starts at `start`: topics and stores carry only the start. */
  endOf(start: number): number
}

/**
 * Windows over event time by an assigner of your own, such as {@link calendarDays}. They may have any length, overlap,
 * and leave gaps.
 *
 * Throws `INVALID_OPTION` for a `longest` below 1 or a grace below 0.
 */
export function customWindows(assigner: WindowAssigner, { grace = 0 }: WindowOptions = {}): AlignedWindows {
  const { name, longest, parameters } = assigner
  if (longest !== Number.POSITIVE_INFINITY) checkWhole(name, 'longest', longest, 1)
  checkWhole(name, 'grace', grace, 0)
  return Object.freeze<AlignedWindows>({
    kind: 'custom',
    size: longest,
    grace,
    advance: Number.NaN,
    describe: Object.freeze({ ...parameters, kind: name, grace }),
    firstStart() {
      throw new MillraceError('INTERNAL', `windows "${name}" have no regular starts`, { hint: 'use assign' })
    },
    endOf: (start) => assigner.endOf(start),
    assign: (timestamp, visit) => assigner.assign(timestamp, visit),
  })
}
