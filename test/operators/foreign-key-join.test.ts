import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  aggregate,
  foreignKeyJoin,
  groupBy,
  groupByKey,
  json,
  leftForeignKeyJoin,
  long,
  reduce,
  run,
  stream,
  string,
  sum,
  type Table,
  table,
  to,
  topology,
  toStream,
} from '../../src/index.ts'
import { answerSerde } from '../../src/operators/joins/foreign-key-messages.ts'
import { ByteWriter, memoryLog, TopologyDriver } from '../../src/testing/index.ts'
import { readRecords, writeRecords } from '../support/records.ts'

type Order = { customer: string | null; amount: number }
const orders = table('orders', { key: string(), value: json<Order>(), store: 'orders' })
const customers = table('customers', { key: string(), value: json<string>(), store: 'customers' })
const ending = <V>(of: Table<string, V>) => of.pipe(toStream(), to('out', { key: string(), value: json() }))
const seen = (driver: TopologyDriver) => driver.read('out').map(({ key, value, timestamp }) => [key, value, timestamp])
const text = (order: Order, customer: string | null) => `${order.amount}&${customer}`

const inner = orders.pipe(foreignKeyJoin('joined', customers, (order) => order.customer, text))
const left = orders.pipe(leftForeignKeyJoin('joined', customers, (order) => order.customer, text))

describe('a join by foreign key', () => {
  it('follows both sides', () => {
    const driver = new TopologyDriver(topology('t', [ending(inner)]), { partitions: 3 })
    driver.pipe('orders', 'o1', { customer: 'ada', amount: 1 }, 1)
    driver.pipe('orders', 'o2', { customer: 'ada', amount: 2 }, 2)
    driver.pipe('customers', 'ada', 'Ada', 3)
    driver.pipe('orders', 'o1', { customer: 'bob', amount: 1 }, 4)
    driver.pipe('customers', 'ada', null, 5)
    driver.pipe('orders', 'o3', { customer: null, amount: 3 }, 6)
    const results = seen(driver)
    expect(results.filter(([key]) => key === 'o1').map(([, ...result]) => result)).toEqual([
      ['1&Ada', 3],
      [null, 4],
    ])
    expect(results.filter(([key]) => key === 'o2').map(([, ...result]) => result)).toEqual([
      ['2&Ada', 3],
      [null, 5],
    ])
    expect(driver.droppedByReason()).toEqual(new Map([['null-key', 1]]))
    expect(driver.store('joined-subscriptions').length).toBe(2)
  })

  it('drops and counts an answer to a row that has changed meanwhile', () => {
    const driver = new TopologyDriver(topology('t', [ending(inner)]))
    driver.pipe('customers', 'ada', 'Ada', 1)
    driver.pipe('orders', 'o', { customer: 'ada', amount: 1 }, 2)
    seen(driver)
    const late = new ByteWriter()
    answerSerde(json<string>()).open({ topic: 't', part: 'value' }).encode({ hash: 12345, right: 'Old' }, late)
    driver.pipeBytes('t-joined-answer-repartition', Buffer.from('o'), late.bytes(), 3)
    driver.pipeBytes('t-joined-answer-repartition', Buffer.from('gone'), late.bytes(), 3)
    expect(driver.droppedByReason()).toEqual(new Map([['stale', 2]]))
    expect(seen(driver)).toEqual([])
  })

  it('joins a table with itself', () => {
    type Person = { name: string; boss: string | null }
    const people = table('people', { key: string(), value: json<Person>(), store: 'people' })
    const bosses = people.pipe(
      leftForeignKeyJoin(
        'bosses',
        people,
        (person) => person.boss,
        (person, boss) => `${person.name} < ${boss?.name}`,
      ),
    )
    const driver = new TopologyDriver(topology('t', [ending(bosses)]), { partitions: 2 })
    driver.pipe('people', 'a', { name: 'Ada', boss: 'b' }, 1)
    driver.pipe('people', 'b', { name: 'Bob', boss: null }, 2)
    driver.pipe('people', 'b', { name: 'Bea', boss: 'b' }, 3)
    expect(Object.fromEntries(driver.store<string>('bosses').map(({ key, value }) => [key, value]))).toEqual({
      a: 'Ada < Bea',
      b: 'Bea < Bea',
    })
  })

  it('takes the partitions of what it joins, aggregated tables included', () => {
    const spent = stream('orders', { key: string(), value: json<Order>() }).pipe(
      groupBy((order) => order.customer),
      aggregate('spent', { sum: sum((order) => order.amount) }),
    )
    const names = stream('names', { key: string(), value: json<string>() }).pipe(
      groupByKey(),
      reduce('last-name', (_, name) => name),
    )
    const both = spent.pipe(
      foreignKeyJoin(
        'named',
        names,
        (_, customer) => customer,
        (total, name) => `${name} ${total.sum}`,
      ),
    )
    const driver = new TopologyDriver(topology('t', [ending(both)]), { partitions: 4 })
    driver.pipe('orders', 'o', { customer: 'ada', amount: 5 }, 1)
    driver.pipe('names', 'ada', 'Ada', 1)
    expect(seen(driver)).toEqual([['ada', 'Ada 5', 1]])
  })

  it('does not compile with a foreign key of another type', () => {
    const numbered = table('n', { key: long(), value: json<string>(), store: 'n' })
    // @ts-expect-error a string is no key of a table of numbers
    orders.pipe(foreignKeyJoin('joined', numbered, (order) => order.customer, text))
    expect(numbered.store).toBe('n')
  })

  const update = fc.oneof(
    fc.record({
      topic: fc.constant('orders'),
      key: fc.constantFrom('o1', 'o2', 'o3'),
      value: fc.option(fc.record({ customer: fc.constantFrom('ada', 'bob', null), amount: fc.nat(3) }), { nil: null }),
      next: fc.constantFrom('nothing', 'nothing', 'commit', 'restart'),
    }),
    fc.record({
      topic: fc.constant('customers'),
      key: fc.constantFrom('ada', 'bob'),
      value: fc.option(fc.constantFrom('A', 'B'), { nil: null }),
      next: fc.constantFrom('nothing', 'nothing', 'commit', 'restart'),
    }),
  )
  it.each([
    ['inner', 'update'],
    ['inner', 'commit'],
    ['left', 'update'],
    ['left', 'commit'],
  ] as const)('%s, emitting per %s: equals a plain model at every commit', (kind, emit) => {
    const joined = topology('t', [ending(kind === 'inner' ? inner : left)])
    fc.assert(
      fc.property(fc.array(update, { maxLength: 30 }), fc.constantFrom(1, 3), (updates, partitions) => {
        const driver = new TopologyDriver(joined, { emit, partitions })
        const rows = new Map<string, Order>()
        const names = new Map<string, string>()
        const view = new Map<unknown, unknown>()
        updates.forEach(({ topic, key, value, next }, i) => {
          driver.pipe(topic, key, value, i)
          const model: Map<string, unknown> = topic === 'orders' ? rows : names
          if (value === null) model.delete(key)
          else model.set(key, value)
          if (next === 'nothing') return
          // To the right side, back, and out.
          for (let hop = 0; hop < 3; hop++) driver.commit()
          for (const [order, result] of seen(driver)) {
            if (result === null) expect(view.delete(order)).toBe(true)
            else view.set(order, result)
          }
          const expected = [...rows].flatMap(([order, row]) => {
            const name = names.get(row.customer ?? '') ?? null
            return name === null && kind === 'inner' ? [] : [[order, text(row, name)] as const]
          })
          expect(view).toEqual(new Map(expected))
          if (next === 'restart') driver.restart()
        })
      }),
      { numRuns: 150 },
    )
  })

  it('runs: both subtopologies write to each other, over a restart', async () => {
    const log = memoryLog()
    await log.connect()
    await log.admin.create(['orders', 'out'].map((topic) => ({ topic, partitions: 3 })))
    await log.admin.create([{ topic: 'customers', partitions: 2 }])
    const joined = topology('fk', [ending(inner)])
    const write = async (from: number, to: number) => {
      const numbers = Array.from({ length: to - from }, (_, i) => from + i)
      const records = numbers.map((i) => ({
        key: `o${i % 50}`,
        value: JSON.stringify({ customer: `c${i % 7}`, amount: i }),
        timestamp: i,
      }))
      await writeRecords(log, 'orders', records)
      await writeRecords(
        log,
        'customers',
        numbers.slice(0, 40).map((i) => ({ key: `c${i % 7}`, value: JSON.stringify(`name${i}`), timestamp: i })),
      )
    }
    for (const [from, to] of [
      [0, 300],
      [300, 600],
    ]) {
      await write(from, to)
      const running = await run(joined, { log, logger: false, commitIntervalMs: 10 })
      await running.caughtUp()
      await running.stop()
      await log.connect()
    }
    const finals = new Map((await readRecords(log, 'out')).map(({ key, value }) => [key, value]))
    const expected = Array.from({ length: 50 }, (_, order) => {
      const i = 550 + order
      const last = Array.from({ length: 40 }, (_, n) => 300 + n).filter((n) => n % 7 === i % 7)
      return [`o${order}`, JSON.stringify(`${i}&name${last.at(-1)}`)] as const
    })
    expect(finals).toEqual(new Map(expected))
  })
})
