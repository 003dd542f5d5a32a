import {
  avro,
  count,
  groupBy,
  groupByKey,
  json,
  keyValueStore,
  mapValues,
  nullable,
  output,
  process,
  reduce,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  windowed,
  windowedBy,
} from 'millrace'
import { memoryRegistry, schemaRegistry } from 'millrace/avro'
import { TopologyDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'
import { unopenedSink } from '../support/unopened-sink.ts'

const perWord = topology('words', [
  stream('lines', { key: string(), value: string() }).pipe(
    groupBy((word) => word),
    count('per-word'),
    toStream(),
    to('counts', { key: string(), value: json<number | null>() }),
  ),
])

const short = (records: readonly { key: unknown; value: unknown }[]) => records.map(({ key, value }) => [key, value])

describe('pipe and read', () => {
  it('run a record and all that follows to the end', () => {
    const driver = new TopologyDriver(perWord)
    driver.pipe('lines', 'l1', 'a', 10, [['trace', Buffer.from('x')]])
    expect(driver.read('counts')).toEqual([
      { key: 'a', value: 1, timestamp: 10, headers: [['trace', Buffer.from('x')]], partition: 0 },
    ])
    expect(driver.read('counts')).toEqual([])
    expect([driver.inputs, driver.outputs]).toEqual([['lines'], ['counts']])
  })

  it('put a record into the partition of its key', () => {
    const copied = topology('copied', [
      stream('in', { key: nullable(string()), value: string() }).pipe(to('out', { key: string(), value: string() })),
    ])
    const driver = new TopologyDriver(copied, { partitions: 8 })
    for (const key of ['a', 'b', 'c', 'd', null, 'a']) driver.pipe('in', key, 'x', 1)
    const partitions = driver.read('out').map(({ partition }) => partition)
    expect(partitions[5]).toBe(partitions[0])
    expect(partitions[4]).toBe(0)
    expect(new Set(partitions).size).toBeGreaterThan(2)
  })

  it('refuse a topic that is not read, naming those that are', () => {
    const driver = new TopologyDriver(perWord)
    expect(() => driver.pipe('counts', 'a', 1, 1)).toThrow(/it reads lines/)
    expect(() => driver.pipe('line', 'a', 'x', 1)).toThrow(/does not read this topic/)
    expect(() => driver.store('nothing')).toThrow(/no store "nothing"/)
  })

  it('keep what cannot be decoded as a dead letter, by policy', () => {
    const copied = topology('copied', [
      stream('in', { key: string(), value: json() }).pipe(to('out', { key: string(), value: json() })),
    ])
    const driver = new TopologyDriver(copied)
    driver.pipeBytes('in', Buffer.from('k'), Buffer.from('{'), 5)
    const [letter] = driver.deadLetters()
    expect([String(letter.key), String(letter.value)]).toEqual(['k', '{'])
    expect(driver.read('out')).toEqual([])
    const failing = new TopologyDriver(copied, { errors: { undecodable: 'fail' } })
    expect(() => failing.pipeBytes('in', null, Buffer.from('{'), 5)).toThrow(/cannot be decoded/)
  })

  it('use a registry that answers at once, and refuse one that does not', () => {
    const schema = { type: 'record', name: 'N', fields: [{ name: 'n', type: 'int' }] }
    const numbers = topology('numbers', [
      stream('in', { key: string(), value: avro<{ n: number }>(schema) }).pipe(
        mapValues(({ n }) => ({ n: n + 1 })),
        to('out', { key: string(), value: avro<{ n: number }>(schema) }),
      ),
    ])
    const driver = new TopologyDriver(numbers, { registry: memoryRegistry() })
    driver.pipe('in', 'a', { n: 1 }, 1)
    expect(driver.read<string, { n: number }>('out')[0].value.n).toBe(2)
    const registry = schemaRegistry({ url: 'http://127.0.0.1:9' })
    expect(() => new TopologyDriver(numbers, { registry })).toThrow(/does no I\/O/)
  })
})

describe('stores', () => {
  it('are looked into by name, over all tasks', () => {
    const windows = topology('windows', [
      stream('in', { key: string(), value: json<number>() }).pipe(
        groupByKey(),
        windowedBy(tumbling(10)),
        reduce('sum', (a, b) => a + b),
        toStream(),
        to('out', { key: windowed(string(), { size: 10 }), value: json() }),
      ),
    ])
    const driver = new TopologyDriver(windows, { partitions: 3 })
    for (const [key, n, at] of [
      ['a', 1, 1],
      ['b', 2, 2],
      ['a', 3, 4],
      ['a', 5, 11],
    ] as const)
      driver.pipe('in', key, n, at)
    const rows = driver
      .store<string, number>('sum')
      .map(({ key, start, value, timestamp }) => [key, start, value, timestamp])
    expect(rows.sort()).toEqual([
      ['a', 0, 4, 4],
      ['a', 10, 5, 11],
      ['b', 0, 2, 2],
    ])
  })
})

describe('commit and restart', () => {
  it('give the straight run, whatever was not committed, across a repartition', () => {
    const words = Array.from({ length: 40 }, (_, i) => `w${i % 7}`)
    const straight = new TopologyDriver(perWord, { partitions: 2 })
    const broken = new TopologyDriver(perWord, { partitions: 2 })
    for (const [i, word] of words.entries()) {
      for (const driver of [straight, broken]) driver.pipe('lines', `l${i}`, word, i)
      if (i % 9 === 4) broken.commit()
      if (i % 6 === 5) broken.restart()
    }
    const state = (driver: TopologyDriver) =>
      driver
        .store('per-word')
        .map(({ key, value }) => `${key}=${value}`)
        .sort()
    expect(state(broken)).toEqual(state(straight))
    expect(state(straight)).toContain('w0=6')
  })

  it('take back what was written since the last commit, unless it was read', () => {
    const driver = new TopologyDriver(perWord)
    driver.pipe('lines', 'l', 'a', 1)
    driver.commit()
    driver.pipe('lines', 'l', 'a', 2)
    driver.restart()
    expect(short(driver.read('counts'))).toEqual([
      ['a', 1],
      ['a', 2],
    ])
    driver.restart()
    expect(short(driver.read('counts'))).toEqual([['a', 2]])
  })

  it("give one update per key and commit with emit: 'commit'", () => {
    const driver = new TopologyDriver(perWord, { emit: 'commit' })
    for (const word of ['a', 'b', 'a', 'a']) driver.pipe('lines', 'l', word, 1)
    expect(driver.read('counts')).toEqual([])
    driver.commit()
    expect(short(driver.read('counts'))).toEqual([
      ['a', 3],
      ['b', 1],
    ])
  })

  it('bring rows to sinks with the commit', () => {
    const sink = unopenedSink<string, string>('test:rows')
    const driver = new TopologyDriver(
      topology('rows', [stream('in', { key: string(), value: string() }).pipe(to(sink))]),
    )
    driver.pipe('in', 'a', 'x', 3)
    expect(driver.rows('test:rows')).toEqual([])
    driver.commit()
    expect(driver.rows('test:rows')).toEqual([{ key: 'a', value: 'x', timestamp: 3, offset: 0 }])
  })
})

it('moves wall-clock time: timers fire, after a restart too', () => {
  const seen = keyValueStore('seen', { key: string(), value: json<number>() })
  const reminders = topology('reminders', [
    stream('in', { key: string(), value: json<number>() }).pipe(
      process(
        'remind',
        { stores: { seen }, timers: { wallClock: string() }, output: output<string, number>() },
        ({ stores, timers, forward, now }) => ({
          process(n, key) {
            stores.seen.put(key, n)
            timers.wallClock.set(key, now() + n)
          },
          onWallClock({ key }) {
            forward(key, stores.seen.get(key) ?? -1)
          },
        }),
      ),
      to('out', { key: string(), value: json() }),
    ),
  ])
  const driver = new TopologyDriver(reminders)
  driver.pipe('in', 'a', 5_000, 1)
  driver.commit()
  driver.advanceWallClock(4_000)
  driver.restart()
  expect(driver.read('out')).toEqual([])
  driver.advanceWallClock(2_000)
  expect(short(driver.read('out'))).toEqual([['a', 5_000]])
})
