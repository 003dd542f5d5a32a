import {
  aggregate,
  count,
  filter,
  groupBy,
  json,
  minutes,
  seconds,
  stream,
  string,
  sum,
  type Table,
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
