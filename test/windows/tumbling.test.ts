import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { windowAssignerContract } from '../../src/testing/contracts/window-assigner.ts'
import { seconds } from '../../src/time.ts'
import { tumbling } from '../../src/windows/tumbling.ts'
import { loopedSpans, spans } from './spans.ts'

windowAssignerContract('tumbling', { make: () => tumbling(seconds(60)) })
windowAssignerContract('tumbling, 1 ms', { make: () => tumbling(1) })

describe('tumbling', () => {
  it('puts a record into exactly one window, aligned to the epoch', () => {
    expect(spans(tumbling(10), 0)).toEqual([[0, 10]])
    expect(spans(tumbling(10), 9)).toEqual([[0, 10]])
    expect(spans(tumbling(10), 10)).toEqual([[10, 20]])
    expect(spans(tumbling(10), -1)).toEqual([])
  })

  it('is exact up to the largest timestamp', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.maxSafeNat(), fc.integer({ min: Number.MAX_SAFE_INTEGER - 1000, max: Number.MAX_SAFE_INTEGER })),
        fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 2 ** 40 })),
        (timestamp, size) => {
          const start = Number((BigInt(timestamp) / BigInt(size)) * BigInt(size))
          expect(tumbling(size).firstStart(timestamp)).toBe(start)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('gives engines the same windows by its loop', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 1000 }), fc.integer({ min: 1, max: 50 }), (timestamp, size) => {
        expect(loopedSpans(tumbling(size), timestamp)).toEqual(spans(tumbling(size), timestamp))
      }),
    )
  })

  it('describes itself and cannot be changed', () => {
    const windows = tumbling(seconds(60), { grace: seconds(10) })
    expect(windows.describe).toEqual({ kind: 'tumbling', size: 60_000, grace: 10_000 })
    expect(Object.isFrozen(windows) && Object.isFrozen(windows.describe)).toBe(true)
  })
})
