import { describe, it } from 'vitest'
import { json, keyValueStore, long, nullable, output, process, string, windowStore } from '../../src/index.ts'
import { everyRecord, input } from './support.ts'

const KEY = 'none'
const totals = keyValueStore('totals', { key: string(), value: json<{ n: number; sum: number }>() })

/** A session by hand: a timer that moves, state that it clears, and one that sets the next. */
const sessions = input.pipe(
  process(
    'sessions',
    { stores: { totals }, timers: { eventTime: string() }, output: output<string, unknown>() },
    ({ stores, timers, forward }) => ({
      process(value, of, { timestamp }) {
        const key = of ?? KEY
        const { n, sum } = stores.totals.get(key) ?? { n: 0, sum: 0 }
        stores.totals.put(key, { n: n + 1, sum: sum + (value ?? 0) })
        if (value === 0) timers.eventTime.cancel(key)
        else timers.eventTime.set(key, timestamp + 7)
        if (value === 9) timers.eventTime.set(key, timestamp + 3, 'again')
      },
      onEventTime({ key, name, time }) {
        const total = stores.totals.get(key)
        forward(key, { name, time, ...total })
        if (name === 'again') {
          if (total && total.n < 5) timers.eventTime.set(key, time + 4, 'again')
        } else stores.totals.delete(key)
      },
    }),
  ),
)

const perTen = windowStore('per-ten', { key: string(), value: long(), retention: 40 })

/** Windows by hand, with a timer of one key for them all. */
const windows = input.pipe(
  process(
    'windows',
    { stores: { perTen }, timers: { eventTime: nullable(string()) }, output: output<string, unknown>() },
    ({ stores, timers, forward }) => ({
      process(_, of, { timestamp }) {
        const key = of ?? KEY
        const start = Math.floor(timestamp / 10) * 10
        stores.perTen.put(key, (stores.perTen.get(key, start) ?? 0) + 1, start)
        timers.eventTime.set(key, start + 10)
      },
      onEventTime: ({ key, time }) => forward(`${key}`, { time, n: stores.perTen.get(`${key}`, time - 10) ?? null }),
    }),
  ),
)

describe('process with timers of event time, the same whatever the runtime does', () => {
  it('timers that move and set each other', () => everyRecord(sessions))
  it('a window store that forgets', () => everyRecord(windows))
})
