import { describe, expect, it } from 'vitest'
import {
  type Codec,
  count,
  filter,
  groupBy,
  json,
  mapValues,
  merge,
  nullable,
  peek,
  repartition,
  type Serde,
  type Stream,
  selectKey,
  split,
  stream,
  string,
  to,
  topology,
  toStream,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

interface Order {
  readonly product: string
}

/** JSON that counts how often a value is encoded. */
function counted(anyTopic = true): Serde<Order> & { readonly encoded: { n: number } } {
  const encoded = { n: 0 }
  const { anyTopic: _, ...serde } = json<Order>()
  return {
    ...serde,
    ...(anyTopic && { anyTopic: true }),
    encoded,
    open(context) {
      const codec: Codec<Order> = serde.open(context)
      return {
        decode: codec.decode,
        encode(value, out) {
          if (context.topic.endsWith('-repartition')) encoded.n++
          codec.encode(value, out)
        },
      }
    },
  }
}

type Change = (orders: Stream<string, Order>, serde: Serde<Order>) => Stream<string, Order>

/** What comes out behind a repartition, and how many values were encoded on the way. */
function across(change: Change, serde = counted()) {
  const driver = new TopologyDriver(
    topology('app', [
      change(stream('orders', { key: string(), value: serde }), serde).pipe(
        repartition('by-product', { value: serde }),
        to('out', { key: string(), value: json() }),
      ),
    ]),
  )
  const orders = [{ product: 'tea', n: 1 }, { product: 'coffee' }, { product: 'tea', n: 2 }]
  for (const [i, order] of orders.entries()) driver.pipe('orders', 'k', order, i, [['trace', Buffer.from(`${i}`)]])
  driver.commit()
  const read = driver.read('out').map(({ key, value, timestamp, headers }) => [key, value, timestamp, `${headers}`])
  return { read, encoded: serde.encoded.n, orders }
}

const byProduct = selectKey((order: Order) => order.product)

describe('values that no operator has replaced', () => {
  it.each<[string, Change]>([
    ['selectKey', (orders) => orders.pipe(byProduct)],
    [
      'filter',
      (orders) =>
        orders.pipe(
          filter(() => true),
          byProduct,
        ),
    ],
    ['split and merge', (orders) => splitAndMerge(orders).pipe(byProduct)],
  ])('cross a repartition as they were read: %s', (_, change) => {
    const { read, encoded, orders } = across(change)
    expect(read).toEqual(orders.map((order, i) => [order.product, order, i, `trace,${i}`]))
    expect(encoded).toBe(0)
  })

  it('cross a second repartition, too', () => {
    const { read, encoded } = across((orders, serde) => orders.pipe(byProduct, repartition('first', { value: serde })))
    expect(read.map(([key]) => key)).toEqual(['tea', 'coffee', 'tea'])
    expect(encoded).toBe(0)
  })

  it('are grouped without being encoded, nulls included', () => {
    const serde = counted()
    const driver = new TopologyDriver(
      topology('app', [
        stream('orders', { key: string(), value: nullable(serde) }).pipe(
          groupBy((order) => order?.product ?? 'none'),
          count('per-product'),
          toStream(),
          to('out', { key: string(), value: json() }),
        ),
      ]),
    )
    for (const product of ['tea', null, 'tea']) driver.pipe('orders', 'k', product && { product }, 1)
    expect(driver.read('out').map(({ key, value }) => [key, value])).toEqual([
      ['tea', 1],
      ['tea', 2],
    ])
    expect(serde.encoded.n).toBe(0)
  })
})

describe('values are encoded before a repartition', () => {
  it.each<[string, Change]>([
    ['behind mapValues, changed in place or not', (orders) => orders.pipe(mapValues(renamed), byProduct)],
    ['behind peek, which may change them in place', (orders) => orders.pipe(peek(renamed), byProduct)],
    ['where one of the merged streams is mapped', (orders) => orders.pipe(merge(orders.pipe(mapValues(renamed))))],
  ])('%s', (_, change) => {
    const { read, encoded } = across(change)
    expect(encoded).toBe(read.length)
    expect(read.length).toBeGreaterThan(0)
  })

  it('where the serde is another, or says nothing of other topics', () => {
    expect(across((orders) => orders.pipe(byProduct), counted(false)).encoded).toBe(3)
    const other = counted()
    const { encoded } = across((orders) => orders.pipe(byProduct, repartition('first', { value: other })))
    expect([encoded, other.encoded.n]).toEqual([3, 3])
  })

  it('and what was changed in place behind mapValues is there', () => {
    const { read } = across((orders) => orders.pipe(mapValues(renamed), byProduct))
    expect(read.map(([key]) => key)).toEqual(['TEA', 'COFFEE', 'TEA'])
  })
})

function renamed(order: Order): Order {
  return Object.assign(order, { product: order.product.toUpperCase() })
}

function splitAndMerge(orders: Stream<string, Order>): Stream<string, Order> {
  const { tea, rest } = orders.pipe(split({ tea: ({ product }) => product === 'tea' }, 'rest'))
  return tea.pipe(merge(rest))
}
