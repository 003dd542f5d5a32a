import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calendarDays } from '../../src/windows/calendar-days.ts'
import { closesAt, isClosed, isLate } from '../../src/windows/closing.ts'
import { hopping } from '../../src/windows/hopping.ts'
import { session } from '../../src/windows/session.ts'
import { sliding } from '../../src/windows/sliding.ts'
import { tumbling } from '../../src/windows/tumbling.ts'
import { unlimited } from '../../src/windows/unlimited.ts'
import { spans } from './spans.ts'

const small = fc.nat(100)
const length = fc.integer({ min: 1, max: 30 })
const grace = fc.nat(30)

describe('closing: the conditions of the reference, C = T - grace', () => {
  it('closes time windows when end <= C', () => {
    fc.assert(
      fc.property(small, small, length, grace, (end, T, size, grace) => {
        expect(isClosed(tumbling(size, { grace }), end, T)).toBe(end <= T - grace)
      }),
    )
  })

  it('closes sliding windows when end < C', () => {
    fc.assert(
      fc.property(small, small, length, grace, (end, T, d, grace) => {
        expect(isClosed(sliding(d, { grace }), end, T)).toBe(end < T - grace)
      }),
    )
  })

  it('closes sessions when end < C - gap', () => {
    fc.assert(
      fc.property(small, small, length, grace, (end, T, gap, grace) => {
        expect(isClosed(session(gap, { grace }), end, T)).toBe(end < T - grace - gap)
      }),
    )
    expect(isLate(session(10, { grace: 1 }), 0, 11)).toBe(false)
    expect(isLate(session(10, { grace: 1 }), 0, 12)).toBe(true)
  })

  it('never closes an unlimited window', () => {
    expect(isClosed(unlimited(), Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER)).toBe(false)
    expect(isLate(unlimited({ start: 10 }), 5, 1_000_000)).toBe(false)
  })

  it('closes a window at closesAt and not before', () => {
    const any = fc.oneof(
      fc.tuple(length, grace).map(([size, grace]) => tumbling(size, { grace })),
      fc.tuple(length, grace).map(([d, grace]) => sliding(d, { grace })),
      fc.tuple(length, grace).map(([gap, grace]) => session(gap, { grace })),
      grace.map((grace) => calendarDays('Europe/Berlin', { grace })),
    )
    fc.assert(
      fc.property(any, small, (windows, end) => {
        const at = closesAt(windows, end)
        expect(isClosed(windows, end, at)).toBe(true)
        expect(isClosed(windows, end, at - 1)).toBe(false)
      }),
    )
  })

  it('calls a record late when all of its windows are closed', () => {
    fc.assert(
      fc.property(small, small, length, length, grace, (timestamp, T, a, b, grace) => {
        const windows = hopping(Math.max(a, b), { advance: Math.min(a, b), grace })
        expect(isLate(windows, timestamp, T)).toBe(
          spans(windows, timestamp).every(([, end]) => isClosed(windows, end, T)),
        )
        expect(isLate(sliding(a, { grace }), timestamp, T)).toBe(timestamp + a < T - grace)
      }),
    )
  })

  it('never calls the record late that is stream time itself', () => {
    fc.assert(
      fc.property(fc.nat(1000), length, grace, (T, n, grace) => {
        for (const windows of [tumbling(n, { grace }), sliding(n, { grace }), session(n, { grace })]) {
          expect(isLate(windows, T, T)).toBe(false)
        }
      }),
    )
  })
})
