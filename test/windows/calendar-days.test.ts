import fc from 'fast-check'
import { windowAssignerContract } from 'millrace/contracts'
import { describe, expect, it } from 'vitest'
import { days, hours, minutes } from '../../src/time.ts'
import { calendarDays } from '../../src/windows/calendar-days.ts'
import { spans } from './spans.ts'

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo', // clocks once changed at midnight
  'Asia/Kathmandu', // 45 minutes
  'Australia/Lord_Howe', // half an hour of summer time
  'Antarctica/Troll', // two hours
  'Pacific/Apia', // skipped 2011-12-30
]

for (const zone of zones) {
  windowAssignerContract(`calendar days in ${zone}`, {
    make: () => calendarDays(zone),
    positions: { min: 0, max: Date.UTC(2040, 0) },
  })
}

describe('calendarDays', () => {
  it('agrees with the date that a clock on the wall shows', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: days(2), max: Date.UTC(2040, 0) }),
        (zone, timestamp) => {
          const dateAt = wallDate(zone)
          const [[start, end]] = spans(calendarDays(zone), timestamp)
          expect(dateAt(start)).toBe(dateAt(timestamp))
          expect(dateAt(end - 1)).toBe(dateAt(timestamp))
          expect(dateAt(start - 1)).not.toBe(dateAt(timestamp))
          expect(dateAt(end)).not.toBe(dateAt(timestamp))
        },
      ),
      { numRuns: 200 },
    )
  })

  it.each([
    ['Europe/Berlin', '2026-03-29T12:00Z', 23],
    ['Europe/Berlin', '2026-10-25T12:00Z', 25],
    ['Europe/Berlin', '2026-07-01T12:00Z', 24],
    ['America/Sao_Paulo', '2018-11-04T12:00Z', 23],
    ['Australia/Lord_Howe', '2026-04-04T20:00Z', 24.5],
    ['Antarctica/Troll', '2025-10-26T12:00Z', 26],
  ])('%s, %s: %d hours', (zone, instant, length) => {
    const [[start, end]] = spans(calendarDays(zone), Date.parse(instant))
    expect(end - start).toBe(hours(length))
  })

  it('starts a day whose midnight is skipped where the clocks change', () => {
    const [[start]] = spans(calendarDays('America/Sao_Paulo'), Date.parse('2018-11-04T12:00Z'))
    expect(new Date(start).toISOString()).toBe('2018-11-04T03:00:00.000Z')
  })

  it('starts a day whose midnight comes twice at the first of them', () => {
    // 2010-11-07 00:01 in Newfoundland: back to 23:01.
    const [[start, end]] = spans(calendarDays('America/St_Johns'), Date.parse('2010-11-07T12:00Z'))
    expect(new Date(start).toISOString()).toBe('2010-11-07T02:30:00.000Z')
    expect(end - start).toBe(hours(25))
  })

  it('has no window for a day that a zone skipped', () => {
    const samoa = calendarDays('Pacific/Apia')
    const lastBefore = Date.parse('2011-12-30T09:59:59.999Z')
    const [[, end]] = spans(samoa, lastBefore)
    expect(end).toBe(lastBefore + 1)
    const [[start, next]] = spans(samoa, lastBefore + 1)
    expect([start, next - start]).toEqual([lastBefore + 1, hours(24)])
    expect(wallDate('Pacific/Apia')(start)).toBe('2011-12-31')
  })

  it('starts the first window at the epoch, and has none before', () => {
    expect(spans(calendarDays('Asia/Tokyo'), 0)).toEqual([[0, hours(15)]])
    expect(spans(calendarDays('Asia/Tokyo'), -1)).toEqual([])
    expect(calendarDays('Asia/Tokyo').endOf(0)).toBe(hours(15))
  })

  it('describes itself', () => {
    const windows = calendarDays('Europe/Berlin', { grace: minutes(5) })
    expect(windows.describe).toEqual({ kind: 'calendar-days', timeZone: 'Europe/Berlin', grace: 300_000 })
    expect(() => windows.firstStart(0)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
  })
})

/** The date by a formatter of another locale than the code under test uses. */
function wallDate(timeZone: string): (instant: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' })
  return (instant) => format.format(instant)
}
