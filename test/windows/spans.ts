import type { AlignedWindows } from '../../src/windows/windows.ts'

/** The windows of a timestamp, as pairs. */
export function spans(windows: Pick<AlignedWindows, 'assign'>, timestamp: number): [start: number, end: number][] {
  const found: [number, number][] = []
  windows.assign(timestamp, (start, end) => found.push([start, end]))
  return found
}

/** The same through the engines' loop. */
export function loopedSpans(windows: AlignedWindows, timestamp: number): [start: number, end: number][] {
  const found: [number, number][] = []
  for (let start = windows.firstStart(timestamp); start <= timestamp; start += windows.advance) {
    found.push([start, start + windows.size])
  }
  return found
}
