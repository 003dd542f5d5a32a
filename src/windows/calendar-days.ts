import { MillraceError } from '../errors.ts'
import { customWindows, type WindowAssigner } from './custom.ts'
import type { AlignedWindows, WindowOptions } from './windows.ts'
import { zoneOffset } from './zone-offset.ts'

const DAY = 86_400_000
// 23 to 26 hours as a rule; a zone that crosses the date line can live through one day twice.
const LONGEST_DAY = 2 * DAY
const REMEMBERED_DAYS = 10_000

/**
 * Calendar days in a time zone, as people there live them: 23 or 25 hours long when the clocks change.
 *
 * The zone is an IANA name, resolved by the `Intl` of the running Node: instances that work on the same state should run
 * on the same time zone data. Throws `INVALID_OPTION` for an unknown zone or a grace below 0.
 *
 * @example
 * ```ts
 * windowedBy(calendarDays('Europe/Berlin', { grace: minutes(5) }))
 * ```
 */
export function calendarDays(timeZone: string, options: WindowOptions = {}): AlignedWindows {
  return customWindows(calendarDayAssigner(timeZone), options)
}

function calendarDayAssigner(timeZone: string): WindowAssigner {
  const startOf = rememberedDayStarts(timeZone)
  // The span looked up last: most records are in the same day as the one before.
  let start = 0
  let end = 0

  function find(timestamp: number): void {
    // The day here is the day in Greenwich, the one before or the one after; a day that was skipped is empty.
    let day = Math.floor(timestamp / DAY) + 1
    while (startOf(day) > timestamp) day--
    start = Math.max(0, startOf(day))
    end = startOf(day + 1)
  }

  return {
    name: 'calendar-days',
    parameters: { timeZone },
    longest: LONGEST_DAY,
    assign(timestamp, visit) {
      if (timestamp < 0) return
      if (timestamp < start || timestamp >= end) find(timestamp)
      visit(start, end)
    },
    endOf(first) {
      if (first < start || first >= end) find(first)
      return end
    },
  }
}

/** First instant of each calendar day, days counted from 1970-01-01; asking Intl takes microseconds, so remembered. */
function rememberedDayStarts(timeZone: string): (day: number) => number {
  const offsetAt = offsetsOf(timeZone)
  const starts = new Map<number, number>()
  return (day) => {
    let start = starts.get(day)
    if (start === undefined) {
      if (starts.size >= REMEMBERED_DAYS) starts.clear()
      start = dayStart(day * DAY, offsetAt)
      starts.set(day, start)
    }
    return start
  }
}

/** The first instant at which clocks show `midnight` (given as if in UTC) or, where they skip it, the first after. */
function dayStart(midnight: number, offsetAt: (instant: number) => number): number {
  const before = offsetAt(midnight - DAY)
  const after = offsetAt(midnight + DAY)
  // Where midnight comes twice, this is the first of them, as in java.time's LocalDate#atStartOfDay.
  if (offsetAt(midnight - before) === before) return midnight - before
  if (offsetAt(midnight - after) === after) return midnight - after
  // Clocks jump over midnight: the day starts where they change.
  let earlier = midnight - after
  let later = midnight - before
  while (later - earlier > 1) {
    const middle = Math.floor((earlier + later) / 2)
    if (offsetAt(middle) === before) earlier = middle
    else later = middle
  }
  return later
}

function offsetsOf(timeZone: string): (instant: number) => number {
  try {
    return zoneOffset(timeZone)
  } catch (cause) {
    throw new MillraceError('INVALID_OPTION', `calendarDays: there is no time zone "${timeZone}"`, {
      cause,
      hint: "give an IANA name such as 'Europe/Berlin' or 'UTC'",
    })
  }
}
