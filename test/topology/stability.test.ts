import fc from 'fast-check'
import {
  count,
  deduplicate,
  describe as describeTopology,
  diff,
  filter,
  flatMapValues,
  foreignKeyJoin,
  groupBy,
  groupByKey,
  hopping,
  join,
  json,
  leftJoin,
  mapValues,
  merge,
  minutes,
  type Output,
  output,
  peek,
  plan,
  process,
  reduce,
  repartition,
  type Stream,
  seconds,
  selectKey,
  session,
  stream,
  string,
  table,
  throttle,
  to,
  topology,
  toStream,
  toTable,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
  windowed,
  windowedBy,
  within,
} from 'millrace'
import { describe, expect, it } from 'vitest'
import { clockKey } from '../../src/runtime/task/compile.ts'

interface Order {
  readonly sku: string
  readonly customer: string
  readonly amount: number
}
type Orders = Stream<string, Order>
/** Puts an operator at a numbered place of the topology, or none. */
type Place = (place: number, orders: Orders) => Orders

const PLACES = 9
const rows = { key: string(), value: json<number | null>() }
const results = { key: windowed(string()), value: json<number | null>() }

/** 40 nodes, seven repartitions, every way in which names come about; its branches have nothing to do with each other. */
function branches(place: Place = (_, orders) => orders): Output[] {
  const source = (topic: string) => stream(topic, { key: string(), value: json<Order>() })
  const web = place(0, source('web'))
  const phone = place(1, source('phone'))
  const orders = place(2, web.pipe(merge(phone)))
  const bySku = place(3, orders.pipe(selectKey((order) => order.sku)))
  const customers = table('customers', { key: string(), value: json<{ city: string }>(), store: 'customers' })
  return [
    place(4, orders.pipe(filter((order) => order.amount > 0))).pipe(
      groupBy((order) => order.sku),
      windowedBy(tumbling(minutes(1), { grace: seconds(5) })),
      count('per-minute'),
      untilWindowCloses(),
      to('per-minute', results),
    ),
    orders.pipe(
      groupBy((order) => order.customer),
      windowedBy(session(minutes(30))),
      count('visits'),
      untilTimeLimit(minutes(1)),
      toStream(),
      to('visits', results),
    ),
    bySku.pipe(
      groupByKey(),
      windowedBy(hopping(minutes(5), { advance: minutes(1) })),
      count('often'),
      toStream(),
      to('often', results),
    ),
    place(5, web).pipe(
      join('answered', place(6, phone), (a, b) => a.amount + b.amount, within(minutes(1))),
      to('answered', rows),
    ),
    place(7, bySku).pipe(
      leftJoin('priced', place(8, bySku).pipe(toTable('latest')), (order) => order.amount),
      to('priced', rows),
    ),
    web.pipe(
      toTable('last-order'),
      foreignKeyJoin(
        'city-of-order',
        customers,
        (order) => order.customer,
        (order) => order.amount,
      ),
      toStream(),
      to('cities', rows),
    ),
    phone.pipe(
      groupByKey(),
      reduce('longest', (a, b) => (a.amount < b.amount ? b : a)),
      toStream(),
      mapValues((order) => order?.amount ?? null),
      to('longest', rows),
    ),
  ]
}

const unnamed: Readonly<Record<string, (orders: Orders) => Orders>> = {
  filter: (orders) => orders.pipe(filter((order) => order.sku !== '')),
  mapValues: (orders) => orders.pipe(mapValues((order) => ({ ...order }))),
  flatMapValues: (orders) => orders.pipe(flatMapValues((order) => [order])),
  peek: (orders) => orders.pipe(peek(() => {})),
  merge: (orders) => orders.pipe(merge(stream('mail', { key: string(), value: json<Order>() }))),
  selectKey: (orders) => orders.pipe(selectKey((order) => order.sku)),
}
const named: Readonly<Record<string, (orders: Orders) => Orders>> = {
  deduplicate: (orders) => orders.pipe(deduplicate('extra', { by: (order) => order.sku, within: 10 })),
  throttle: (orders) => orders.pipe(throttle('extra', 10)),
  repartition: (orders) => orders.pipe(repartition('extra')),
  process: (orders) =>
    orders.pipe(
      process('extra', { timers: { eventTime: string() }, output: output<string, Order>() }, ({ forward }) => ({
        process: (order, key) => forward(key, order),
        onEventTime: () => {},
      })),
    ),
}

/** Names on the log, and what state belongs to which operator's time. */
function names(outputs: readonly Output[]) {
  const app = topology('app', outputs)
  const { topics, stores } = describeTopology(app).json
  const times = plan(app).subtopologies.flatMap(({ nodes }) =>
    nodes.flatMap((node) => node.node.stores.map(({ name }) => `${name} by ${clockKey(node)}`)),
  )
  return [
    ...topics.map(({ kind, topic }) => `${kind} topic ${topic}`),
    ...stores.map(({ kind, store, changelog }) => `${kind} store ${store}, ${changelog}`),
    ...times,
  ].sort()
}

describe('the names of stores and topics, and the time that belongs to them', () => {
  const before = names(branches())
  const somewhere = fc.nat(PLACES - 1)
  const others = fc.array(fc.tuple(somewhere, fc.constantFrom(...Object.keys(unnamed))), { maxLength: 6 })
  const insert =
    (stateless: readonly (readonly [number, string])[], at: number, name?: string): Place =>
    (place, orders) => {
      const plain = stateless.filter(([of]) => of === place).reduce((of, [, kind]) => unnamed[kind](of), orders)
      return name !== undefined && at === place ? named[name](plain) : plain
    }

  it('stay when operators without a name are added anywhere', () => {
    fc.assert(
      fc.property(others, (stateless) => {
        const after = names(branches(insert(stateless, 0)))
        expect(after).toEqual(expect.arrayContaining(before))
        // A new key is a new way to be partitioned, under the name of what needs it; nothing else is new.
        const added = after.filter((name) => !before.includes(name))
        const moved = stateless.some(([, kind]) => kind === 'selectKey')
        for (const name of added) {
          if (moved && name.startsWith('repartition topic')) continue
          expect(name).toBe('user topic mail')
        }
      }),
      { numRuns: 200 },
    )
  })

  it('stay when a named operator that keeps state is added anywhere', () => {
    fc.assert(
      fc.property(others, somewhere, fc.constantFrom(...Object.keys(named)), (stateless, at, name) => {
        const after = names(branches(insert(stateless, at, name)))
        const partitioned = (of: string) => of.startsWith('repartition topic') && !before.includes(of)
        const rest = after.filter((of) => !of.includes('extra') && of !== 'user topic mail' && !partitioned(of))
        expect(after.some((of) => of.includes('extra'))).toBe(true)
        expect(rest).toEqual(before.filter((of) => after.includes(of)))
        const gone = before.filter((of) => !after.includes(of))
        // What comes partitioned by its key already, out of a repartition that was added, need not be once more.
        for (const of of gone) expect(of).toMatch(/^repartition topic/)
      }),
      { numRuns: 200 },
    )
  })

  it('stay in whatever order the branches are listed', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(branches(), { minLength: branches().length }), (shuffled) => {
        expect(names(shuffled)).toEqual(before)
        expect(diff(topology('app', branches()), topology('app', shuffled)).changes).toEqual([])
      }),
      { numRuns: 50 },
    )
  })
})

describe('the JSON of a large plan', () => {
  const written = () => JSON.stringify(describeTopology(topology('app', branches())).json, null, 2)

  it('is the same to the byte from run to run', () => {
    expect(written()).toBe(written())
  })

  it('reads as the topology does: what comes first stands first, and everything is called by its name', () => {
    const { subtopologies, topics, stores } = describeTopology(topology('app', branches())).json
    expect(topics.filter(({ kind }) => kind === 'repartition').length).toBeGreaterThanOrEqual(4)
    const known = new Set(topics.map(({ topic }) => topic))
    for (const { nodes } of subtopologies) {
      const seen = new Set<string>()
      for (const { id, operator, inputs, stores: of = [], writes } of nodes) {
        expect(id).toMatch(new RegExp(`^${operator}(:[a-z-]+|-\\d+)$`))
        for (const input of inputs) expect('topic' in input ? known : seen).toContain(Object.values(input)[0])
        for (const name of of) expect(stores.find(({ store }) => store === name)?.node).toBe(id)
        if (writes !== undefined) expect(known).toContain(writes)
        seen.add(id)
      }
    }
    expect(subtopologies.flatMap(({ nodes }) => nodes).length).toBeGreaterThanOrEqual(20)
    expect(written()).not.toMatch(/function|=>|undefined|\[Object/)
  })
})
