import { describe, expect, it } from 'vitest'
import { windowAssignerContract } from '../../src/testing/contracts/window-assigner.ts'
import { countWindows } from '../../src/windows/count-windows.ts'
import { spans } from './spans.ts'

const position = { min: 0, max: 10_000 }

for (const [size, advance] of [
  [10, 10],
  [10, 3],
  [1, 1],
]) {
  const windows = countWindows(size, { advance })
  windowAssignerContract(`count windows ${size} / ${advance}`, {
    make: () => ({ ...windows, size: windows.longest }),
    positions: position,
  })
}

describe('countWindows', () => {
  it('numbers the records of a key', () => {
    expect(spans(countWindows(3), 0)).toEqual([[0, 3]])
    expect(spans(countWindows(3), 2)).toEqual([[0, 3]])
    expect(spans(countWindows(3), 3)).toEqual([[3, 6]])
    expect(spans(countWindows(3, { advance: 1 }), 3)).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ])
  })
})
