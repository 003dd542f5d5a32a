import { describe, expect, it } from 'vitest'
import { windowAssignerContract } from '../../src/testing/contracts/window-assigner.ts'
import { unlimited } from '../../src/windows/unlimited.ts'
import { loopedSpans, spans } from './spans.ts'

windowAssignerContract('unlimited', { make: () => unlimited({ start: 1000 }) })

describe('unlimited', () => {
  it('has one window, and none before its start', () => {
    const windows = unlimited({ start: 5 })
    expect(spans(windows, 4)).toEqual([])
    expect(spans(windows, 5)).toEqual([[5, Number.POSITIVE_INFINITY]])
    expect(loopedSpans(windows, 4)).toEqual([])
    expect(loopedSpans(windows, 1e12)).toEqual([[5, Number.POSITIVE_INFINITY]])
  })

  it('starts at the epoch unless told otherwise', () => {
    expect(spans(unlimited(), 0)).toEqual([[0, Number.POSITIVE_INFINITY]])
  })
})
