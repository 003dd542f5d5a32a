import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  json,
  keyValueStore,
  long,
  merge,
  nullable,
  output,
  process,
  repartition,
  selectKey,
  stream,
  string,
  to,
  topology,
  windowStore,
} from '../../../src/index.ts'
import type { StateStore } from '../../../src/state/store.ts'
import { streamClock } from '../../../src/state/stream-time.ts'
import { TopologyDriver } from '../../../src/testing/index.ts'
import type { ProcessorContext } from '../../../src/topology/processor.ts'
import { compare } from '../../support/compare.ts'

const texts = { key: string(), value: string() }

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
