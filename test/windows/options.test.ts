import { describe, expect, it } from 'vitest'
import {
  calendarDays,
  countWindows,
  customWindows,
  hopping,
  session,
  sliding,
  tumbling,
  unlimited,
} from '../../src/windows/index.ts'

const refused: [what: string, make: () => unknown][] = [
  ['tumbling of 0', () => tumbling(0)],
  ['tumbling of a fraction', () => tumbling(1.5)],
  ['tumbling of NaN', () => tumbling(Number.NaN)],
  ['tumbling of Infinity', () => tumbling(Number.POSITIVE_INFINITY)],
  ['tumbling of a text', () => tumbling('60000' as unknown as number)],
  ['negative grace', () => tumbling(1, { grace: -1 })],
  ['grace of a fraction', () => tumbling(1, { grace: 0.5 })],
  ['hopping of 0', () => hopping(0, { advance: 1 })],
  ['advance 0', () => hopping(10, { advance: 0 })],
  ['advance beyond the size', () => hopping(10, { advance: 11 })],
  ['hopping with negative grace', () => hopping(10, { advance: 1, grace: -1 })],
  ['sliding of 0', () => sliding(0)],
  ['sliding with negative grace', () => sliding(1, { grace: -1 })],
  ['session with a negative gap', () => session(-1)],
  ['session with negative grace', () => session(1, { grace: -1 })],
  ['unlimited from before the epoch', () => unlimited({ start: -1 })],
  ['an unknown time zone', () => calendarDays('Middle/Earth')],
  ['calendar days with negative grace', () => calendarDays('UTC', { grace: -1 })],
  [
    'custom windows without a length',
    () => customWindows({ name: 'mine', longest: 0, assign: () => {}, endOf: () => 0 }),
  ],
  ['count windows of 0', () => countWindows(0)],
  ['count windows that skip records', () => countWindows(3, { advance: 4 })],
]

describe('window options', () => {
  it.each(refused)('refuses %s', (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', hint: expect.any(String) }))
  })

  it('accepts the least values', () => {
    expect(tumbling(1).grace).toBe(0)
    expect(hopping(1, { advance: 1 }).advance).toBe(1)
    expect(sliding(1).timeDifference).toBe(1)
    expect(session(0).gap).toBe(0)
  })
})
