import {
  aggregate,
  count,
  filter,
  groupBy,
  json,
  mapValues,
  minutes,
  type Stream,
  seconds,
  stream,
  string,
  sum,
  type Table,
  table,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  type Windowed,
  windowed,
  windowedBy,
} from 'millrace'

type T = { status: string; category: string; amount: number }
const revenue = stream('transactions', { key: string(), value: json<T>() }).pipe(
  filter((t) => t.status === 'completed'),
  groupBy((t) => t.category),
  windowedBy(tumbling(minutes(1), { grace: seconds(10) })),
  aggregate('revenue', { orders: count(), revenue: sum((t) => t.amount) }),
)
export const chk: Table<Windowed<string>, { orders: number; revenue: number }> = revenue
export const t = topology('shop', [
  revenue.pipe(toStream(), to('revenue-per-minute', { key: windowed(string()), value: json<{ orders: number }>() })),
  // @ts-expect-error wrong
  revenue.pipe(untilWindowCloses(), to('x', { key: windowed(string()), value: json<{ nope: number }>() })),
  // @ts-expect-error wrong key
  revenue.pipe(untilWindowCloses(), to('x', { key: string(), value: json<{ orders: number }>() })),
])
// @ts-expect-error ungrouped
stream('transactions', { key: string(), value: json<T>() }).pipe(windowedBy(tumbling(1)))

const amounts = table('amounts', { key: string(), value: json<T>(), store: 'amounts' }).pipe(
  filter((t, key) => t.status === key),
  mapValues((t) => t.amount),
)
export const amountsAreATable: Table<string, number> = amounts
export const amountsOfAStream: Stream<string, number> = stream('transactions', {
  key: string(),
  value: json<T>(),
}).pipe(
  filter((t, key) => t.status === key),
  mapValues((t) => t.amount),
)
// @ts-expect-error a table is not a stream
amounts.pipe(to('x', { key: string(), value: json<number>() }))
