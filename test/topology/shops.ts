import {
  aggregate,
  count,
  filter,
  groupBy,
  groupByKey,
  hopping,
  json,
  mapValues,
  merge,
  minutes,
  type SinkDefinition,
  seconds,
  sliding,
  stream,
  string,
  sum,
  type Topology,
  to,
  topology,
  toStream,
  tumbling,
  unlimited,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windowed,
  windowedBy,
} from 'millrace'

interface Order {
  readonly category: string
  readonly city: string
  readonly sku: string
  readonly amount: number
}

/** A sink whose author was careless with its parameters. */
const careless: SinkDefinition<Windowed<string>, { revenue: number }> = {
  kind: 'test',
  name: 'test:revenue',
  mode: 'upsert',
  parameters: {
    url: 'https://ada:hunter2@db.example/x',
    password: 'hunter2',
    auth: { apiKey: 'hunter2', user: 'ada' },
    map: () => 'hunter2',
    limit: Number.POSITIVE_INFINITY,
    absent: undefined,
  },
  open: () => Promise.reject(new Error('never opened')),
}

/** One repartition, one window, a sink. */
export function smallShop(windows: Windows = tumbling(minutes(1), { grace: seconds(10) })): Topology {
  const revenue = stream('orders', { key: string(), value: json<Order>() }).pipe(
    filter((order) => order.amount > 0),
    groupBy((order) => order.category),
    windowedBy(windows),
    aggregate('revenue', { revenue: sum((order) => order.amount) }),
  )
  return topology('shop', [
    revenue.pipe(toStream(), to('revenue', { key: windowed(string()), value: json() })),
    revenue.pipe(untilWindowCloses(), to(careless)),
  ])
}

/** 24 nodes, four repartitions, five stores. `extra` adds operators that have nothing to do with the rest. */
export function largeShop({ extra = false } = {}): Topology {
  const source = (topic: string) => stream(topic, { key: string(), value: json<Order>() })
  const checked = source('orders-of-a-region-with-quite-a-long-name').pipe(merge(source('phone-orders')))
  const orders = (extra ? checked.pipe(filter((order) => order.sku !== '')) : checked).pipe(
    filter((order) => order.amount > 0),
    mapValues((order) => ({ ...order, amount: Math.round(order.amount * 100) })),
  )
  const by = (name: string, of: (order: Order) => string, windows: Windows) =>
    orders.pipe(groupBy(of), windowedBy(windows), count(name), toStream())
  const longs = { key: windowed(string()), value: json<number | null>() }
  return topology('large', [
    ...(extra
      ? [
          orders.pipe(
            mapValues((order) => order.city),
            to('cities', { key: string(), value: string() }),
          ),
        ]
      : []),
    by('per-category', (order) => order.category, tumbling(minutes(1), { grace: seconds(10) })).pipe(
      to('categories', longs),
    ),
    by('per-city', (order) => order.city, hopping(minutes(5), { advance: minutes(1) })).pipe(to('per-city', longs)),
    by('per-sku', (order) => order.sku, sliding(seconds(90))).pipe(to('per-sku', longs)),
    orders.pipe(
      groupBy((order) => `${order.city}/${order.sku}`),
      windowedBy(unlimited()),
      aggregate('ever', { orders: count(), revenue: sum((order) => order.amount) }),
      toStream(),
      to('ever', { key: windowed(string()), value: json() }),
    ),
    source('phone-orders').pipe(
      groupByKey(),
      count('calls'),
      toStream(),
      to('calls', { key: string(), value: json<number | null>() }),
    ),
  ])
}
