import { MillraceError } from '../errors.ts'
import { checkWhole } from '../options.ts'
import type { AlignedWindows, WindowOptions } from './windows.ts'

export interface HoppingOptions extends WindowOptions {
  /** Distance from one window's start to the next one's, in ms: above 0, at most the size. */
  readonly advance: number
}

/**
 * Windows of one length that overlap: a new one starts every `advance` ms, aligned to the epoch. A record is in
 * `size / advance` of them (rounded up or down where that is not whole; fewer just after the epoch).
 *
 * Throws `INVALID_OPTION` for a size below 1, an advance outside 1 … size, or a grace below 0.
 *
 * @example
 * ```ts
 * windowedBy(hopping(minutes(5), { advance: minutes(1), grace: seconds(10) }))
 * ```
 */
export function hopping(size: number, { advance, grace = 0 }: HoppingOptions): AlignedWindows {
  checkWhole('hopping', 'size', size, 1)
  checkWhole('hopping', 'advance', advance, 1)
  checkWhole('hopping', 'grace', grace, 0)
  if (advance > size) {
    throw new MillraceError('INVALID_OPTION', `hopping: advance ${advance} is longer than the size ${size}`, {
      hint: 'records between two windows would be lost; make advance at most the size',
    })
  }
  // org.apache.kafka.streams.kstream.TimeWindows#windowsFor: windows do not start before the epoch.
  const firstStart = (timestamp: number) => Math.floor(Math.max(0, timestamp - size + advance) / advance) * advance
  return Object.freeze<AlignedWindows>({
    kind: 'hopping',
    size,
    grace,
    advance,
    describe: Object.freeze({ kind: 'hopping', size, advance, grace }),
    firstStart,
    endOf: (start) => start + size,
    assign(timestamp, visit) {
      for (let start = firstStart(timestamp); start <= timestamp; start += advance) visit(start, start + size)
    },
  })
}
