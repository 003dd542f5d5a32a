import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AlignedWindows } from '../../windows/windows.ts'

export interface WindowAssignerCase {
  /** What is tested; called once per property run, so that nothing remembered in one helps another. */
  readonly make: () => Pick<AlignedWindows, 'assign' | 'endOf' | 'size'>
  /** Positions to test at; by default any from 0 to the year 2100. */
  readonly positions?: { readonly min: number; readonly max: number }
}

/** What every way of assigning windows must keep: the built-in ones do, and yours should. */
export function windowAssignerContract(name: string, { make, positions }: WindowAssignerCase): void {
  const { min, max } = positions ?? { min: 0, max: 4_102_444_800_000 }
  const position = fc.oneof(
    fc.integer({ min, max }),
    fc.integer({ min, max: Math.min(max, min + 10 * Math.min(make().size, 1e12)) }),
  )

  describe(`window assigner contract: ${name}`, () => {
    it('gives windows that hold the position, ascending, within the longest', () => {
      fc.assert(
        fc.property(position, (at) => {
          const windows = make()
          let previous = -1
          windows.assign(at, (start, end) => {
            expect(start).toBeGreaterThan(previous)
            expect(start).toBeLessThanOrEqual(at)
            expect(end).toBeGreaterThan(at)
            expect(Number.isSafeInteger(start)).toBe(true)
            expect(end - start).toBeLessThanOrEqual(windows.size)
            previous = start
          })
        }),
      )
    })

    it('knows the end of a window from its start', () => {
      fc.assert(
        fc.property(position, (at) => {
          for (const [start, end] of windowsOf(make(), at)) expect(make().endOf(start)).toBe(end)
        }),
      )
    })

    it('gives a window to every position in it', () => {
      fc.assert(
        fc.property(position, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (at, share) => {
          for (const [start, end] of windowsOf(make(), at)) {
            const last = Number.isFinite(end) ? end : max + 1
            const within = start + Math.floor(share * (last - start))
            for (const other of [start, within, last - 1]) {
              expect(windowsOf(make(), other)).toContainEqual([start, end])
            }
          }
        }),
      )
    })

    it('answers the same whatever it was asked before, also from within a visit', () => {
      fc.assert(
        fc.property(fc.array(position, { minLength: 1, maxLength: 20 }), (asked) => {
          const used = make()
          for (const at of asked) {
            const fresh = windowsOf(make(), at)
            expect(windowsOf(used, at)).toEqual(fresh)
            const nested: Span[] = []
            used.assign(at, (start, end) => {
              windowsOf(used, asked[0])
              nested.push([start, end])
            })
            expect(nested).toEqual(fresh)
          }
        }),
      )
    })
  })
}

type Span = [start: number, end: number]

function windowsOf(windows: Pick<AlignedWindows, 'assign'>, position: number): Span[] {
  const spans: Span[] = []
  windows.assign(position, (start, end) => spans.push([start, end]))
  return spans
}
