import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { windowAssignerContract } from '../../src/testing/contracts/window-assigner.ts'
import { minutes } from '../../src/time.ts'
import { hopping } from '../../src/windows/hopping.ts'
import { tumbling } from '../../src/windows/tumbling.ts'
import { loopedSpans, spans } from './spans.ts'

windowAssignerContract('hopping', { make: () => hopping(minutes(5), { advance: minutes(1) }) })
windowAssignerContract('hopping, advance not a divisor', { make: () => hopping(12, { advance: 5 }) })

const sizes = fc
  .integer({ min: 1, max: 60 })
  .chain((size) => fc.record({ size: fc.constant(size), advance: fc.integer({ min: 1, max: size }) }))

describe('hopping', () => {
  it('gives the windows of the reference', () => {
    expect(spans(hopping(12, { advance: 5 }), 21).map(([start]) => start)).toEqual([10, 15, 20])
    expect(spans(hopping(6, { advance: 5 }), 7).map(([start]) => start)).toEqual([5])
  })

  it('gives every window that holds the timestamp and no other', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: -10, max: 500 }), ({ size, advance }, timestamp) => {
        const windows = hopping(size, { advance })
        const expected: [number, number][] = []
        for (let start = 0; start <= timestamp; start += advance) {
          if (start + size > timestamp) expected.push([start, start + size])
        }
        expect(spans(windows, timestamp)).toEqual(expected)
        expect(loopedSpans(windows, timestamp)).toEqual(expected)
      }),
      { numRuns: 1000 },
    )
  })

  it('puts a record into size / advance windows, rounded either way, fewer just after the epoch', () => {
    fc.assert(
      fc.property(sizes, fc.nat(500), ({ size, advance }, timestamp) => {
        const count = spans(hopping(size, { advance }), timestamp).length
        expect(count).toBeLessThanOrEqual(Math.ceil(size / advance))
        if (timestamp >= size - 1) expect(count).toBeGreaterThanOrEqual(Math.floor(size / advance))
        else expect(count).toBe(Math.floor(timestamp / advance) + 1)
      }),
    )
  })

  it('is tumbling when it advances by its size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: -10, max: 500 }), (size, timestamp) => {
        expect(spans(hopping(size, { advance: size }), timestamp)).toEqual(spans(tumbling(size), timestamp))
      }),
    )
  })
})
