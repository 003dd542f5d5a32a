import type { TimeWindows } from './windows.ts'

/**
 * How far stream time must be past the end of a window for it to be closed: a window is closed iff
 * `end + closeDelay(windows) <= streamTime`. Stream time is the highest timestamp seen, updated before this test.
 *
 * One number covers all kinds because timestamps are whole: with C = stream time - grace, time windows are closed when
 * end <= C, sliding ones (inclusive end) when end < C, sessions when end < C - gap.
 */
function closeDelay(windows: TimeWindows): number {
  switch (windows.kind) {
    case 'sliding':
      return windows.grace + 1
    case 'session':
      return windows.gap + windows.grace + 1
    default:
      return windows.grace
  }
}

/** The stream time at which a window that ends at `end` closes. */
export function closesAt(windows: TimeWindows, end: number): number {
  return end + closeDelay(windows)
}

/**
 * Whether a window is closed: it takes no more records, and its final result is out. A record is dropped for every
 * window of it that is closed; for a session, ask with the end of what the record would merge into.
 */
export function isClosed(windows: TimeWindows, end: number, streamTime: number): boolean {
  return end + closeDelay(windows) <= streamTime
}

/**
 * Whether a record by itself comes too late for all of its windows. (One that is late by itself may still merge into an
 * open session.) A record that is in no window, such as one before the start of an unlimited window, is not late.
 */
export function isLate(windows: TimeWindows, timestamp: number, streamTime: number): boolean {
  switch (windows.kind) {
    case 'sliding':
      // Its left window may be closed (timestamp < C) while windows that start before it are still open.
      return isClosed(windows, timestamp + windows.timeDifference, streamTime)
    case 'session':
      return isClosed(windows, timestamp, streamTime)
    default: {
      let last = Number.NEGATIVE_INFINITY
      windows.assign(timestamp, (_, end) => {
        if (end > last) last = end
      })
      return last > Number.NEGATIVE_INFINITY && isClosed(windows, last, streamTime)
    }
  }
}
