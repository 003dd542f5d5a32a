import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { json, keyValueStore, output, process, stream, string, to, topology } from '../../../src/index.ts'
import { TopologyDriver } from '../../../src/testing/index.ts'
import { compare } from '../../support/compare.ts'
import { unopenedSink } from '../../support/unopened-sink.ts'

interface Order {
  readonly id: string
  readonly paid: boolean
}

const texts = { key: string(), value: string() }

const orders = stream('orders', { key: string(), value: json<Order>() })

/** The example of the doc comment: an order that is not paid within 15 minutes expires. */
function paymentTimeout() {
  const pending = keyValueStore('pending', { key: string(), value: json<Order>() })
  const { paid, expired } = orders.pipe(
    process(
      'payment-timeout',
      {
        stores: { pending },
        timers: { eventTime: string() },
        outputs: { paid: output<string, Order>(), expired: output<string, Order>() },
      },
      ({ stores, timers, outputs }) => ({
        process(order, id, { timestamp }) {
          if (order.paid) {
            timers.eventTime.cancel(id)
            stores.pending.delete(id)
            outputs.paid(id, order)
          } else {
            stores.pending.put(id, order)
            timers.eventTime.set(id, timestamp + 15)
          }
        },
        onEventTime({ key: id }) {
          const order = stores.pending.delete(id)
          if (order) outputs.expired(id, order)
        },
      }),
    ),
  )
  return topology('payments', [
    paid.pipe(to('paid', { key: string(), value: json<Order>() })),
    expired.pipe(to('expired', { key: string(), value: json<Order>() })),
  ])
}

const keysAndTimes = (driver: TopologyDriver, topic: string) =>
  driver.read<string>(topic).map(({ key, timestamp }) => [key, timestamp])

describe('event-time timers', () => {
  it('fire in the order of time, before the record that passes them, over named outputs', () => {
    const driver = new TopologyDriver(paymentTimeout())
    driver.pipe('orders', 'b', { id: 'b', paid: false }, 2)
    driver.pipe('orders', 'a', { id: 'a', paid: false }, 0)
    driver.pipe('orders', 'c', { id: 'c', paid: false }, 5)
    driver.pipe('orders', 'b', { id: 'b', paid: true }, 10)
    expect(driver.read('expired')).toEqual([])
    // At 40 both are overdue: the record that moves `a` comes too late for it.
    driver.pipe('orders', 'a', { id: 'a', paid: false }, 40)
    expect(keysAndTimes(driver, 'expired')).toEqual([
      ['a', 15],
      ['c', 20],
    ])
    expect(keysAndTimes(driver, 'paid')).toEqual([['b', 10]])
    driver.pipe('orders', 'z', { id: 'z', paid: true }, 55)
    expect(keysAndTimes(driver, 'expired')).toEqual([['a', 55]])
  })

  it('survive a restart, once each', () => {
    const driver = new TopologyDriver(paymentTimeout())
    driver.pipe('orders', 'a', { id: 'a', paid: false }, 0)
    driver.pipe('orders', 'b', { id: 'b', paid: false }, 1)
    driver.commit()
    driver.restart()
    driver.pipe('orders', 'c', { id: 'c', paid: true }, 15)
    driver.commit()
    driver.restart()
    driver.pipe('orders', 'c', { id: 'c', paid: true }, 16)
    expect(keysAndTimes(driver, 'expired')).toEqual([
      ['a', 15],
      ['b', 16],
    ])
    driver.commit()
    expect(driver.store('payment-timeout-event-timers')).toEqual([])
  })

  it('set in the past fire when the function returns; one that sets the next fires that, too', () => {
    const driver = new TopologyDriver(
      topology('late', [
        stream('in', texts).pipe(
          process('late', { timers: { eventTime: string() } }, ({ timers, forward }) => ({
            process(value, key, { timestamp }) {
              forward(key, value)
              timers.eventTime.set(key, timestamp - 10, 'first')
            },
            onEventTime({ key, name, time }) {
              forward(key, name)
              if (name === 'first') timers.eventTime.set(key, time + 5, 'second')
            },
          })),
          to('out', texts),
        ),
      ]),
    )
    driver.pipe('in', 'k', 'record', 100)
    expect(driver.read('out').map(({ value, timestamp }) => [value, timestamp])).toEqual([
      ['record', 100],
      ['first', 90],
      ['second', 95],
    ])
  })

  it('fire as a plain list of timers would, wherever commits and restarts fall', () => {
    const timers = topology('timers', [
      stream('in', { key: string(), value: json<{ at: number; name: string; cancel: boolean }>() }).pipe(
        process(
          'timers',
          { timers: { eventTime: string() }, output: output<string, string>() },
          ({ timers, forward }) => ({
            process({ at, name, cancel }, key) {
              if (cancel) timers.eventTime.cancel(key, name)
              else timers.eventTime.set(key, at, name)
            },
            onEventTime: ({ key, name }) => forward(key, name),
          }),
        ),
        to('out', texts),
      ),
    ])
    const step = fc.record({
      time: fc.nat(60),
      key: fc.constantFrom('a', 'b', 'c'),
      name: fc.constantFrom('', 'x'),
      at: fc.nat(80),
      cancel: fc.boolean(),
      next: fc.constantFrom('nothing', 'commit', 'restart'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const driver = new TopologyDriver(timers)
        const set = new Map<string, { at: number; key: string; name: string }>()
        const expected: [string, string, number][] = []
        let now = -1
        const fire = () => {
          const due = [...set].filter(([, { at }]) => at <= now)
          due.sort(([, a], [, b]) => a.at - b.at || compare(a.name, b.name) || compare(a.key, b.key))
          for (const [id, { at, key, name }] of due) {
            set.delete(id)
            expected.push([key, name, at])
          }
        }
        for (const { time, key, name, at, cancel, next } of steps) {
          driver.pipe('in', key, { at, name, cancel }, time)
          now = Math.max(now, time)
          fire()
          if (cancel) set.delete(`${key}/${name}`)
          else set.set(`${key}/${name}`, { at, key, name })
          fire()
          if (next !== 'nothing') driver.commit()
          if (next === 'restart') driver.restart()
        }
        expect(driver.read('out').map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual(expected)
      }),
    )
  })

  it('stop the application when they throw, whatever the policy for records', () => {
    const failing = topology('failing', [
      stream('in', texts).pipe(
        process('failing', { timers: { eventTime: string() } }, ({ timers }) => ({
          process: (_, key) => timers.eventTime.set(key, 5),
          onEventTime() {
            throw new Error('no')
          },
        })),
        to('out', texts),
      ),
    ])
    const driver = new TopologyDriver(failing, { errors: { failing: 'skip' } })
    driver.pipe('in', 'k', 'v', 0)
    expect(() => driver.pipe('in', 'k', 'v', 9)).toThrow(expect.objectContaining({ code: 'TIMER_FAILED' }))
  })

  it('are refused where they were not declared, or for no time', () => {
    const of = (time: number, timers?: { eventTime: ReturnType<typeof string> }) => {
      const driver = new TopologyDriver(
        topology('undeclared', [
          stream('in', texts).pipe(
            process('undeclared', { timers }, ({ timers }) => ({
              process: (_, key) => timers.eventTime.set(key as never, time),
            })),
            to('out', texts),
          ),
        ]),
      )
      return () => driver.pipe('in', 'k', 'v', 0)
    }
    expect(of(1)).toThrow(/has no timers of kind eventTime/)
    expect(of(1.5, { eventTime: string() })).toThrow(/cannot be set for 1.5/)
    expect(of(-1, { eventTime: string() })).toThrow(/cannot be set for -1/)
  })
})

describe('wall-clock timers', () => {
  const heartbeat = topology('heartbeat', [
    stream('in', texts).pipe(
      process('heartbeat', { timers: { wallClock: string() } }, ({ timers, forward, now }) => ({
        process: (_, key) => timers.wallClock.set(key, now() + 1_000),
        onWallClock: ({ key, time }) => forward(key, `silent since ${time - 1_000}`),
      })),
      to('out', texts),
    ),
  ])

  it('fire when the clock has come so far, in order, and survive a restart', () => {
    const driver = new TopologyDriver(heartbeat)
    driver.pipe('in', 'b', '', 7)
    driver.advanceWallClock(500)
    driver.pipe('in', 'a', '', 8)
    driver.pipe('in', 'c', '', 9)
    driver.commit()
    driver.restart()
    driver.advanceWallClock(499)
    expect(driver.read('out')).toEqual([])
    driver.advanceWallClock(1_000)
    driver.commit()
    driver.restart()
    driver.advanceWallClock(10_000)
    expect(driver.read('out').map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
      ['b', 'silent since 0', 9],
      ['a', 'silent since 500', 9],
      ['c', 'silent since 500', 9],
    ])
  })

  it('are refused in front of an append sink', () => {
    const sink = unopenedSink()
    const rows = topology('rows', [
      stream('in', texts).pipe(
        process('clock', { timers: { wallClock: string() } }, () => ({ process() {} })),
        to(sink),
      ),
    ])
    expect(() => new TopologyDriver(rows)).toThrow(/process:clock.*timers of the wall clock.*write them to a topic/)
  })
})
