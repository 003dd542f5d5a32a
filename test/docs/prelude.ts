/** What the examples and marbles of the doc comments take for granted: the streams, tables and types of a shop. */
import {
  type AvroSchema,
  aggregate,
  count,
  double,
  groupBy,
  groupByKey,
  json,
  minutes,
  type StandardSchema,
  type Stream,
  stream,
  string,
  sum,
  table,
  to,
  topology,
  tumbling,
  windowedBy,
} from 'millrace'

// Marbles.
export const numbers = stream('numbers', { key: string(), value: json<number>() })
export const others = stream('others', { key: string(), value: json<number>() })
export const words = stream('words', { key: string(), value: json<string>() })
export const ages = table('ages', { key: string(), value: json<number>(), store: 'ages' })
export const cities = table('cities', { key: string(), value: json<string>(), store: 'cities' })

// Examples.
export interface Transaction {
  readonly status: string
  readonly category: string
  readonly amount: number
}
export interface Revenue {
  readonly orders: number
  readonly revenue: number
}
export interface Payment {
  readonly id: string
  readonly user: string
  readonly category: string
  readonly status: 'completed' | 'failed'
  readonly amount: number
}
export interface Order {
  readonly id: string
  readonly customer: string
  readonly total: number
  readonly amount: number
  readonly paid: boolean
}
/** Its schema, as an example would load it. */
export const Order = {
  type: 'record',
  name: 'Order',
  fields: [{ name: 'id', type: 'string' }],
} as const
export interface User {
  readonly id: string
  readonly name: string
  readonly country: string
}
export interface Address {
  readonly city: string
}
export interface Click {
  readonly page: string
}
export const Click = { type: 'record', name: 'Click', fields: [{ name: 'page', type: 'string' }] } as const
export interface Offer {
  readonly seller: string
  readonly price: number
}
export interface Request {
  readonly path: string
  readonly milliseconds: number
}

const jsonStream = <V>(topic: string): Stream<string, V> => stream(topic, { key: string(), value: json<V>() })

export const payments = jsonStream<Payment>('payments')
export const orders = jsonStream<Order>('orders')
export const webOrders = jsonStream<Order>('web-orders')
export const shopOrders = jsonStream<Order>('shop-orders')
export const phoneOrders = jsonStream<Order>('phone-orders')
export const alerts = jsonStream<{ reason: string }>('alerts')
export const cleaned = jsonStream<Payment>('received-payments')
export const baskets = jsonStream<{ items: { sku: string; price: number }[] }>('baskets')
export const clicks = jsonStream<Click>('clicks')
export const suspicious = jsonStream<{ reason: string }>('suspicious')
export const events = jsonStream<{ session: string }>('events')
export const lines = stream('lines', { key: string(), value: string() })
export const positions = jsonStream<{ x: number; y: number }>('positions')
export const raw = jsonStream<unknown>('raw')
export const readings = stream('readings', { key: string(), value: double() })
export const received = jsonStream<number>('received')
export const requests = jsonStream<Request>('requests')
export const sales = jsonStream<{ category: string; amount: number }>('sales')
export const sent = jsonStream<number>('sent')
export const texts = jsonStream<string>('texts')
export const users = table('users', { key: string(), value: json<User>(), store: 'users' })
export const purchases = table('purchases', {
  key: string(),
  value: json<{ userId: string; amount: number }>(),
  store: 'purchases',
})
export const addresses = table('addresses', { key: string(), value: json<Address>(), store: 'addresses' })
export const planned = table('planned', { key: string(), value: json<number>(), store: 'planned' })
export const actual = table('actual', { key: string(), value: json<number>(), store: 'actual' })

export const revenue = payments.pipe(
  groupBy((payment) => payment.category),
  windowedBy(tumbling(minutes(1))),
  aggregate('revenue', { orders: count(), revenue: sum((payment) => payment.amount) }),
)

export const schema: AvroSchema = { type: 'record', name: 'Order', fields: [{ name: 'id', type: 'string' }] }
export const transactionSchema: AvroSchema = { type: 'record', name: 'Transaction', fields: [] }
export const revenueSchema: AvroSchema = { type: 'record', name: 'Revenue', fields: [] }
export const schemaFromFile: AvroSchema = { type: 'array', items: 'string' }
export const column = (...description: readonly unknown[]): readonly unknown[] => description

const TIDE = 44_712_000
export const lowWaterBefore = (timestamp: number): number => Math.floor(timestamp / TIDE) * TIDE
export const lowWaterAfter = (timestamp: number): number => lowWaterBefore(timestamp) + TIDE

export const visits = jsonStream<{ country: string }>('visits')
export const totals = payments.pipe(groupByKey(), count('totals'))
export const notify = async (records: readonly unknown[]): Promise<number> => records.length

export const shop = topology('shop', [alerts.pipe(to('checked-alerts', { key: string(), value: json() }))])

/** The little of zod that an example shows; any Standard Schema is used in the same way. */
export const z = {
  object: <S>(shape: S): StandardSchema<unknown, { [F in keyof S]: S[F] extends () => infer T ? T : never }> => ({
    '~standard': {
      version: 1,
      vendor: 'prelude',
      validate: (value) => ({
        value: Object.fromEntries(Object.keys(shape as object).map((f) => [f, value])) as never,
      }),
    },
  }),
  string: () => () => '',
  number: () => ({ positive: () => () => 1 }),
}
