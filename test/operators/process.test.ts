import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  count,
  groupByKey,
  json,
  keyValueStore,
  long,
  merge,
  nullable,
  output,
  process,
  processValues,
  repartition,
  selectKey,
  stream,
  string,
  to,
  topology,
  toStream,
  windowStore,
} from '../../src/index.ts'
import type { StateStore } from '../../src/state/store.ts'
import { streamClock } from '../../src/state/stream-time.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import type { ProcessorContext } from '../../src/topology/processor.ts'

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
    const sink = {
      kind: 'rows',
      name: 'rows',
      mode: 'append' as const,
      parameters: {},
      open: () => Promise.reject(new Error('not opened here')),
    }
    const rows = topology('rows', [
      stream('in', texts).pipe(
        process('clock', { timers: { wallClock: string() } }, () => ({ process() {} })),
        to(sink),
      ),
    ])
    expect(() => new TopologyDriver(rows)).toThrow(/process:clock.*timers of the wall clock.*write them to a topic/)
  })
})

describe('stores', () => {
  it('are read in the order of serialised keys, within bounds, while they change', () => {
    const numbers = keyValueStore('numbers', { key: long(), value: string() })
    const driver = new TopologyDriver(
      topology('ranges', [
        stream('in', { key: long(), value: nullable(string()) }).pipe(
          process('ranges', { stores: { numbers }, output: output<string, number[]>() }, ({ stores, forward }) => ({
            process(value, key) {
              stores.numbers.put(key, value)
              forward(
                'range',
                [...stores.numbers.range(2, 5)].map(([n]) => n),
              )
              forward(
                'all',
                [...stores.numbers.all()].map(([n]) => n),
              )
            },
          })),
          to('out', { key: string(), value: json<number[]>() }),
        ),
      ]),
    )
    const outputAfter = (key: number, value: string | null) => {
      driver.pipe('in', key, value, 0)
      return driver.read<string, number[]>('out').map(({ value }) => value)
    }
    for (let n = 40; n > 0; n -= 3) driver.pipe('in', n, 'x', 0)
    driver.read('out')
    expect(outputAfter(3, 'x')[0]).toEqual([3, 4])
    expect(outputAfter(2, 'x')[0]).toEqual([2, 3, 4])
    expect(outputAfter(3, null)[0]).toEqual([2, 4])
    driver.commit()
    driver.restart()
    expect(outputAfter(5, 'x')).toEqual([
      [2, 4, 5],
      [1, 2, 4, 5, ...Array.from({ length: 12 }, (_, i) => 7 + 3 * i)],
    ])
    // Serialised as unsigned bytes, a negative number is a large one.
    expect(outputAfter(-1, 'x')[1].at(-1)).toBe(-1)
  })

  it('hold what a Map would, wherever commits and restarts fall', () => {
    const kept = keyValueStore('kept', { key: string(), value: string() })
    const mirror = topology('mirror', [
      stream('in', { key: string(), value: nullable(string()) }).pipe(
        process(
          'mirror',
          { stores: { kept }, output: output<string, [string, string][]>() },
          ({ stores, forward }) => ({
            process(value, key) {
              if (value === 'read')
                forward(
                  key,
                  [...stores.kept.range(key, undefined)].map(([k, v]) => [k, v]),
                )
              else stores.kept.put(key, value)
            },
          }),
        ),
        to('out', { key: string(), value: json<[string, string][]>() }),
      ),
    ])
    const step = fc.record({
      key: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'),
      value: fc.constantFrom('1', '2', null, 'read'),
      next: fc.constantFrom('nothing', 'nothing', 'commit', 'restart'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const driver = new TopologyDriver(mirror)
        const map = new Map<string, string>()
        for (const { key, value, next } of steps) {
          driver.pipe('in', key, value, 0)
          if (value === 'read') {
            const expected = [...map].filter(([k]) => k >= key).sort(([a], [b]) => compare(a, b))
            expect(driver.read('out')[0].value).toEqual(expected)
          } else if (value === null) map.delete(key)
          else map.set(key, value)
          if (next !== 'nothing') driver.commit()
          if (next === 'restart') driver.restart()
        }
        expect(new Map(driver.store<string, string>('kept').map(({ key, value }) => [key, value]))).toEqual(map)
      }),
    )
  })

  it('of windows expire in stream time, in memory and in the changelog', () => {
    const recent = windowStore('recent', { key: string(), value: long(), retention: 10 })
    const driver = new TopologyDriver(
      topology('recent', [
        stream('in', { key: string(), value: long() }).pipe(
          process('recent', { stores: { recent }, output: output<string, number[]>() }, ({ stores, forward }) => ({
            process(value, key, { timestamp }) {
              stores.recent.put(key, timestamp, value)
              forward(
                key,
                [...stores.recent.range(key, timestamp - 5, timestamp)].map(([, n]) => n),
              )
              forward(
                'all',
                [...stores.recent.all()].map(([, start]) => start),
              )
            },
          })),
          to('out', { key: string(), value: json<number[]>() }),
        ),
      ]),
    )
    const outputAfter = (key: string, value: number, timestamp: number) => {
      driver.pipe('in', key, value, timestamp)
      return driver.read<string, number[]>('out').map(({ value }) => value)
    }
    outputAfter('a', 1, 0)
    outputAfter('b', 2, 3)
    expect(outputAfter('a', 3, 5)).toEqual([
      [1, 3],
      [0, 3, 5],
    ])
    driver.commit()
    driver.restart()
    expect(outputAfter('a', 4, 11)).toEqual([[4], [3, 5, 11]])
    // Older than the retention: not kept, but counted.
    expect(outputAfter('a', 5, 0)).toEqual([[], [3, 5, 11]])
    expect(driver.droppedByReason().get('expired')).toBe(1)
    outputAfter('c', 6, 100)
    driver.commit()
    expect(driver.store('recent').map(({ key }) => key)).toEqual(['c'])
    driver.restart()
    expect(driver.store('recent').map(({ key }) => key)).toEqual(['c'])
  })

  it('of windows go by the time of the task that has them now', () => {
    const recent = windowStore('recent', { key: string(), value: long(), retention: 10 })
    const store = recent.spec.create({ open: (serde, part) => serde.open({ topic: 't', part }) })
    const taskAt = (closing: number) => {
      const time = streamClock([0], { lane: 0 })
      time.observe(closing)
      const context = { node: 'recent', store: () => store, drop: () => {} } as unknown as ProcessorContext
      return recent.open(context, time, () => closing)
    }
    taskAt(100).handle.put('a', 100, 1)
    // Another instance has had the task meanwhile, and this one its state as a standby.
    const { handle, expire } = taskAt(200)
    expect(handle.get('a', 100)).toBeUndefined()
    handle.put('a', 200, 2)
    expire!()
    expect([...handle.all()]).toEqual([['a', 200, 2]])
    expect((store as StateStore).size).toBe(1)
  })

  const shared = keyValueStore('shared', { key: string(), value: string() })
  const writer = (topic: string) =>
    stream(topic, texts).pipe(
      process(`writes-${topic}`, { stores: { shared } }, ({ stores }) => ({
        process: (value, key) => stores.shared.put(key, value),
      })),
    )
  const reader = (topic: string) =>
    process<string, string, { shared: typeof shared }>(
      `reads-${topic}`,
      { stores: { shared } },
      ({ stores, forward }) => ({
        process: (value, key) => forward(key, `${value}:${stores.shared.get(key)}`),
      }),
    )

  it('are shared by giving one constant to two operators, which then run in one task', () => {
    const sharing = topology('sharing', [
      writer('settings').pipe(to('out', texts)),
      stream('events', texts).pipe(reader('events'), to('out', texts)),
    ])
    const driver = new TopologyDriver(sharing)
    expect(driver.plan.subtopologies).toHaveLength(1)
    expect(driver.plan.subtopologies[0].stores).toHaveLength(1)
    expect(driver.plan.subtopologies[0].copartitioned).toEqual([['settings', 'events']])
    driver.pipe('settings', 'k', 'on', 0)
    driver.commit()
    driver.restart()
    driver.pipe('events', 'k', 'x', 0)
    expect(driver.read('out').map(({ value }) => value)).toEqual(['x:on'])
  })

  it('cannot be shared across a repartition, or by name alone', () => {
    const across = topology('across', [
      writer('in').pipe(
        selectKey((value) => value),
        repartition('again'),
        reader('again'),
        to('out', texts),
      ),
    ])
    expect(() => new TopologyDriver(across)).toThrow(/shared by operators before and behind a repartition/)
    const twin = keyValueStore('shared', { key: string(), value: string() })
    const byName = topology('by-name', [
      writer('settings').pipe(
        merge(stream('x', texts).pipe(process('twin', { stores: { twin } }, () => ({ process() {} })))),
        to('out', texts),
      ),
    ])
    expect(() => new TopologyDriver(byName)).toThrow(/two stores are named "shared"/)
  })
})

describe('records', () => {
  it('carry where they came from; time and headers can be set on what is forwarded', () => {
    const driver = new TopologyDriver(
      topology('metadata', [
        stream('in', { key: nullable(string()), value: nullable(string()) }).pipe(
          process('metadata', { output: output<string, string>() }, ({ forward, drop }) => ({
            process(value, key, { topic, partition, offset, timestamp, headers }) {
              if (key === null) return drop()
              forward(key, `${topic}/${partition}@${offset}: ${value}`)
              forward(key, 'marked', { headers: [...headers, ['seen', Buffer.from('yes')]] })
              forward(key, 'plain', { headers: [], timestamp: timestamp + 1 })
              forward(key, 'again')
            },
          })),
          to('out', texts),
        ),
      ]),
    )
    driver.pipe('in', null, 'x', 1)
    driver.pipe('in', 'k', null, 5, [['id', Buffer.from('7')]])
    const id = ['id', Buffer.from('7')]
    expect(
      driver
        .read('out')
        .map(({ value, timestamp, headers }) => [
          value,
          timestamp,
          headers.map(([name, bytes]) => [name, Buffer.from(bytes ?? [])]),
        ]),
    ).toEqual([
      ['in/0@1: null', 5, [id]],
      ['marked', 5, [id, ['seen', Buffer.from('yes')]]],
      ['plain', 6, []],
      ['again', 5, [id]],
    ])
    expect(driver.droppedByReason().get('skipped')).toBe(1)
  })

  it('go to the dead letters when the function throws, and the next one is processed', () => {
    const driver = new TopologyDriver(
      topology('throwing', [
        stream('in', texts).pipe(
          process('throwing', {}, ({ forward }) => ({
            process(value, key) {
              if (value === 'bad') throw new Error('bad')
              forward(key, value)
            },
          })),
          to('out', texts),
        ),
      ]),
      { errors: { failing: 'dead-letter' } },
    )
    driver.pipe('in', 'a', 'bad', 0)
    driver.pipe('in', 'b', 'good', 1)
    expect(driver.read('out').map(({ key }) => key)).toEqual(['b'])
    expect(driver.deadLetters().map(({ key }) => String(key))).toEqual(['a'])
  })
})

it('processValues keeps the key, of timers too: nothing is repartitioned behind it', () => {
  const last = keyValueStore('last', { key: string(), value: long() })
  const changes = stream('in', { key: string(), value: long() }).pipe(
    processValues(
      'changes',
      { stores: { last }, timers: { eventTime: string() }, value: string() },
      ({ stores, timers, forward }) => ({
        process(celsius, sensor, { timestamp }) {
          forward(String(celsius - (stores.last.get(sensor) ?? celsius)))
          stores.last.put(sensor, celsius)
          timers.eventTime.set(sensor, timestamp + 10)
        },
        onEventTime: () => forward('silent'),
      }),
    ),
  )
  const driver = new TopologyDriver(
    topology('changes', [
      changes.pipe(to('out', texts)),
      changes.pipe(groupByKey(), count('counted'), toStream(), to('counts', { key: string(), value: json() })),
    ]),
  )
  expect(driver.plan.subtopologies).toHaveLength(1)
  driver.pipe('in', 'a', 20, 0)
  driver.pipe('in', 'a', 23, 5)
  driver.pipe('in', 'b', 4, 15)
  expect(driver.read('out').map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
    ['a', '0', 0],
    ['a', '3', 5],
    ['a', 'silent', 15],
    ['b', '0', 15],
  ])
})

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
