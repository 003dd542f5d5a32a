import { checkWhole } from '../options.ts'
import type { AlignedWindows, WindowOptions } from './windows.ts'

/**
 * Windows of one length, side by side: [0, size), [size, 2 size) … aligned to the epoch. Every record is in exactly one.
 *
 * Sizes are whole ms. Throws `INVALID_OPTION` for a size below 1 or a grace below 0.
 *
 * @example
 * ```ts
 * windowedBy(tumbling(minutes(1), { grace: seconds(10) }))
 * ```
 */
export function tumbling(size: number, { grace = 0 }: WindowOptions = {}): AlignedWindows {
  checkWhole('tumbling', 'size', size, 1)
  checkWhole('tumbling', 'grace', grace, 0)
  return Object.freeze<AlignedWindows>({
    kind: 'tumbling',
    size,
    grace,
    advance: size,
    describe: Object.freeze({ kind: 'tumbling', size, grace }),
    firstStart: (timestamp) => firstStart(timestamp, size),
    endOf: (start) => start + size,
    assign(timestamp, visit) {
      const start = firstStart(timestamp, size)
      if (start <= timestamp) visit(start, start + size)
    },
  })
}

// A negative timestamp gets 0, which is past it: it is in no window.
function firstStart(timestamp: number, size: number): number {
  return timestamp < 0 ? 0 : Math.floor(timestamp / size) * size
}
